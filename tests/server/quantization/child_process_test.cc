#include "server/quantization/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"

namespace tandem::quantization {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChildProcessTest : public ::testing::Test {
 protected:
  absl::StatusOr<ChildEnd> Run(const std::string& script) {
    return RunChild({"/bin/sh", "-c", script}, cancel_,
                    [this](absl::string_view line) { lines_.push_back(std::string(line)); });
  }

  CancelSignal cancel_;
  std::vector<std::string> lines_;
};

TEST_F(ChildProcessTest, ItsLinesArriveOneByOne) {
  const auto end = Run("echo one; echo; printf two");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_FALSE(end->cancelled);
  EXPECT_THAT(lines_, ElementsAre("one", "two"));
}

TEST_F(ChildProcessTest, ItsExitCodeAndLastErrorAreTold) {
  const auto end = Run("echo first >&2; echo 'the last' >&2; exit 3");
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->last_error, "the last");
}

TEST_F(ChildProcessTest, ASignalIsToldApartFromAnExit) {
  const auto end = Run("kill -SEGV $$");
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->signal, SIGSEGV);
  EXPECT_EQ(end->exit_code, -1);
}

TEST_F(ChildProcessTest, RunsAtTheLowestPriorityOnOneThread) {
  const auto end = Run("nice; echo $OMP_NUM_THREADS");
  ASSERT_TRUE(end.ok());
  EXPECT_THAT(lines_, ElementsAre("19", "1"));
}

TEST_F(ChildProcessTest, AVeryLongLineIsCut) {
  ASSERT_TRUE(Run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end").ok());
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_EQ(lines_[0].size(), size_t{1} << 16);
  EXPECT_EQ(lines_[1], "end");
}

TEST_F(ChildProcessTest, CancellingKillsTheWholeGroup) {
  // The grandchild holds the pipe open: only its death ends the call.
  const auto end = RunChild({"/bin/sh", "-c", "echo ready; sleep 1000 & wait"}, cancel_,
                            [this](absl::string_view) { cancel_.Set(); });
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->cancelled);
}

TEST_F(ChildProcessTest, AChildThatClosedItsPipesCanStillBeCancelled) {
  std::thread later;
  const auto end = RunChild({"/bin/sh", "-c", "echo ready; exec sleep 1000 >/dev/null 2>&1"}, cancel_,
                            [&](absl::string_view) { later = std::thread([this] { cancel_.Set(); }); });
  later.join();
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->cancelled);
}

TEST_F(ChildProcessTest, AClearedSignalCancelsNothing) {
  cancel_.Set();
  cancel_.Clear();
  EXPECT_FALSE(Run("true")->cancelled);
}

TEST_F(ChildProcessTest, AProgramThatIsNotThereIsNamed) {
  const absl::Status status = RunChild({"/nowhere/program"}, cancel_, [](absl::string_view) {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot run /nowhere/program: No such file"));
}

}  // namespace
}  // namespace tandem::quantization
