#include "clients/cli/interrupt.h"

#include <semaphore.h>
#include <signal.h>

#include <atomic>
#include <utility>

namespace tandem::cli {
namespace {

// What a signal handler may touch.
sem_t wake;
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnSignal(int) {
  interrupted.store(true);
  sem_post(&wake);
}

}  // namespace

Interrupt::Interrupt(std::function<void()> action) {
  interrupted.store(false);
  sem_init(&wake, 0, 0);
  thread_ = std::thread([action = std::move(action)] {
    while (sem_wait(&wake) != 0) continue;
    if (interrupted.load()) action();
  });
  struct sigaction once {};
  once.sa_handler = OnSignal;
  once.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &once, nullptr);
}

Interrupt::~Interrupt() {
  signal(SIGINT, SIG_DFL);
  sem_post(&wake);
  thread_.join();
  sem_destroy(&wake);
}

}  // namespace tandem::cli
