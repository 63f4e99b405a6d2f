#include "clients/cli/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <future>

namespace tandem::cli {
namespace {

TEST(Interrupt, ActsOnTheFirstCtrlC) {
  std::promise<void> acted;
  const Interrupt interrupt([&] { acted.set_value(); });
  raise(SIGINT);
  acted.get_future().get();
}

TEST(Interrupt, DoesNothingWithoutOne) {
  bool acted = false;
  {
    const Interrupt interrupt([&] { acted = true; });
  }
  EXPECT_FALSE(acted);
}

TEST(InterruptDeathTest, LeavesTheSecondCtrlCToEndTheProcess) {
  EXPECT_EXIT(
      {
        const Interrupt interrupt([] {});
        raise(SIGINT);
        raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace tandem::cli
