// tandemd: the server's process: memory allocator, flags, log, signals.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <variant>

#include "server/app/app.h"
#include "server/app/flags.h"
#include "server/app/logging.h"

namespace {

using tandem::app::App;
using tandem::app::Exit;

// glibc gives image-sized blocks back to the system and faults them in again for every request: keep them.
void KeepMemory() {
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// The first signal drains, the second ends the process.
void WatchSignals(App& app) {
  const sigset_t signals = StopSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("signal {}", signal);
  app.RequestStop();
  sigwait(&signals, &signal);
  spdlog::warn("second signal {}: stopping at once", signal);
  _exit(128 + signal);
}

}  // namespace

int main(int argc, char** argv) {
  KeepMemory();
  auto parsed = tandem::app::ParseFlags(argc, argv);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  const auto& config = std::get<tandem::config::ServerConfig>(parsed);
  tandem::app::SetUpLogging(config.log_format, config.log_level);

  // Before the first thread, so that all inherit it and sigwait is the only one to see them.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  App app(config);
  absl::Status status = app.Start();
  if (status.ok()) {
    std::thread(WatchSignals, std::ref(app)).detach();
    status = app.RunUntilStopped();
  }
  if (status.ok()) return 0;
  spdlog::error("{}", std::string(status.message()));
  return 1;
}
