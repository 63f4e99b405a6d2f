#include "tests/conformance/isolate.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

#include "absl/strings/str_cat.h"

namespace tandem::conformance {

namespace {

// Ends a result: a child that ends without it, even with exit code 0, did not finish its work.
constexpr char kEndMark = '\x04';

[[noreturn]] void RunChild(const std::function<std::string()>& work, int pipe, int timeout_seconds) {
  alarm(static_cast<unsigned>(timeout_seconds));
  const std::string output = work() + kEndMark;
  size_t written = 0;
  while (written < output.size()) {
    const ssize_t count = write(pipe, output.data() + written, output.size() - written);
    if (count <= 0) _exit(3);
    written += static_cast<size_t>(count);
  }
  _exit(0);
}

std::string ReadAll(int pipe) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(pipe, buffer, sizeof(buffer));
    if (count > 0) text.append(buffer, static_cast<size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

std::string DeathOf(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return signal == SIGALRM ? "timeout" : absl::StrCat("signal ", signal, " (", strsignal(signal), ")");
  }
  return WEXITSTATUS(status) == 0 ? "" : absl::StrCat("exit code ", WEXITSTATUS(status));
}

}  // namespace

IsolatedResult RunIsolated(const std::function<std::string()>& work, int timeout_seconds) {
  int pipes[2];
  if (pipe(pipes) != 0) return {.death = "no pipe"};
  std::cout.flush();
  const pid_t child = fork();
  if (child < 0) return {.death = "no process"};
  if (child == 0) {
    close(pipes[0]);
    RunChild(work, pipes[1], timeout_seconds);
  }
  close(pipes[1]);
  IsolatedResult result;
  result.output = ReadAll(pipes[0]);
  close(pipes[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.death = DeathOf(status);
  const bool finished = !result.output.empty() && result.output.back() == kEndMark;
  if (result.death.empty() && !finished) result.death = "an early exit";
  if (finished) result.output.pop_back();
  return result;
}

}  // namespace tandem::conformance
