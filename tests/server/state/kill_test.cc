// A process writes, says over a pipe what it was told is kept, and is killed at a random moment: nothing that it said
// may be missing, and nothing may be there in part.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/state/store.h"
#include "server/sync/time.h"
#include "tests/engine/model_maker.h"

namespace tandem::state {
namespace {

constexpr int kModels = 3;

std::string ModelOf(int64_t number) { return absl::StrCat("m", number % kModels); }

// Everything that write `number` changes tells the number.
Changes ChangesOf(int64_t number) {
  const std::string model = ModelOf(number), text = absl::StrCat(number);
  const Author author{.who = text, .when = absl::FromUnixMillis(number)};
  return {.routes = {{model, RouteOverride{{.mode = "split"}, author}}},
          .rejected = {{model, {number}}},
          .blobs = {{model, text}},
          .events = {{.model = model, .kind = "write", .author = author, .detail = text}}};
}

int64_t LastWritten(const StateStore& store) {
  const auto events = store.History({.limit = 1});
  int64_t number = 0;
  EXPECT_TRUE(events.ok()) << events.status();
  if (!events.ok() || events->empty()) return 0;
  EXPECT_TRUE(absl::SimpleAtoi(events->at(0).detail, &number));
  return number;
}

// In a process of its own: writes until it is killed.
[[noreturn]] void WriteForEver(const std::string& folder, int pipe) {
  auto store = StateStore::Open(folder);
  if (!store.ok()) _exit(1);
  for (int64_t number = LastWritten(**store) + 1;; ++number) {
    if (!(*store)->Write(ChangesOf(number)).ok()) _exit(2);
    if (write(pipe, &number, sizeof number) != sizeof number) _exit(3);
  }
}

// Lets a process write, kills it some time after it has said so for the `acknowledged`th time, and returns the last
// number that it said.
int64_t WriteAndKill(const std::string& folder, int acknowledged, Duration then) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    WriteForEver(folder, ends[1]);
  }
  close(ends[1]);
  int64_t last = 0;
  for (int i = 0; i < acknowledged; ++i) {
    if (read(ends[0], &last, sizeof last) != sizeof last) break;
  }
  for (const Time until = Now() + then; Now() < until;) continue;
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "it ended with " << WEXITSTATUS(status);
  for (int64_t number; read(ends[0], &number, sizeof number) == sizeof number;) last = number;
  close(ends[0]);
  return last;
}

// The state is that after write `number` to its model, whole.
void ExpectWhole(const StateStore& store, int64_t number) {
  const std::string model = ModelOf(number), text = absl::StrCat(number);
  EXPECT_EQ(store.Routes()->at(model).author.who, text);
  EXPECT_EQ(store.Rejected()->at(model), std::set<int64_t>{number});
  EXPECT_EQ(*store.Blob(model), text);
}

TEST(StateStoreKilled, LosesNothingThatItAcknowledged) {
  const engine::TemporaryFolder folder;
  const std::string path = folder.path().string();
  const char* soak = std::getenv("TANDEM_SOAK_SECONDS");
  const Time end = Now() + std::chrono::seconds(soak != nullptr ? std::atoi(soak) : 0);
  std::mt19937 random(20261125);
  int64_t before = 0;
  for (int round = 0; round < 60 || Now() < end; ++round) {
    const int acknowledged = static_cast<int>(random() % 8);
    const auto then = std::chrono::microseconds(random() % 3000);
    const int64_t said = std::max(before, WriteAndKill(path, acknowledged, then));
    const auto store = StateStore::Open(path);
    ASSERT_TRUE(store.ok()) << store.status();
    const int64_t kept = LastWritten(**store);
    ASSERT_GE(kept, said) << "in round " << round;
    for (int64_t number = std::max<int64_t>(1, kept - kModels + 1); number <= kept; ++number) {
      ExpectWhole(**store, number);
    }
    before = kept;
  }
  EXPECT_GT(before, 60);
}

}  // namespace
}  // namespace tandem::state
