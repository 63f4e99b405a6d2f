#include "server/state/directory_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::state {
namespace {

using ::testing::HasSubstr;

TEST(DirectoryLock, IsHeldByOneAtATime) {
  const engine::TemporaryFolder folder;
  const std::string path = folder.path().string();
  auto lock = DirectoryLock::Take(path);
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status second = DirectoryLock::Take(path).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr(absl::StrCat(path, " is in use")));
  EXPECT_THAT(std::string(second.message()), HasSubstr(absl::StrCat("process ", getpid(), ":")));
  lock->reset();
  EXPECT_TRUE(DirectoryLock::Take(path).ok());
}

TEST(DirectoryLock, NamesAFolderThatCannotBeWritten) {
  const engine::TemporaryFolder folder;
  const absl::Status status = DirectoryLock::Take((folder.path() / "missing").string()).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("missing/lock: No such file"));
}

}  // namespace
}  // namespace tandem::state
