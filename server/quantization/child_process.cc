#include "server/quantization/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/check.h"
#include "engine/status.h"

namespace tandem::quantization {
namespace {

constexpr size_t kMaxLine = 1 << 16;
constexpr int kLowestPriority = 19;
// What a shell says when it finds no program.
constexpr int kCannotRun = 127;

// Both ends of a pipe, closed with it.
class Pipe {
 public:
  ~Pipe() {
    Close(ends_[0]);
    Close(ends_[1]);
  }
  bool Open() { return pipe2(ends_, O_CLOEXEC) == 0; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void CloseWriteEnd() { Close(ends_[1]); }

 private:
  static void Close(int& fd) {
    if (fd >= 0) close(std::exchange(fd, -1));
  }
  int ends_[2] = {-1, -1};
};

// Bytes in, lines out.
class Lines {
 public:
  explicit Lines(std::function<void(absl::string_view)> on_line) : on_line_(std::move(on_line)) {}

  void Add(absl::string_view bytes) {
    for (char c : bytes) {
      if (c == '\n') {
        End();
      } else if (line_.size() < kMaxLine) {
        line_.push_back(c);
      }
    }
  }
  void End() {
    if (!line_.empty()) on_line_(line_);
    line_.clear();
  }

 private:
  const std::function<void(absl::string_view)> on_line_;
  std::string line_;
};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment() {
  std::vector<std::string> variables = {"OMP_NUM_THREADS=1"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "OMP_NUM_THREADS=", 16) != 0) variables.emplace_back(*variable);
  }
  return variables;
}

// In the child, between fork and exec: only what is safe after a fork of a process with threads.
[[noreturn]] void BecomeChild(char* const* arguments, char* const* environment, int out, int error, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kCannotRun);  // it ended before it was asked to tell
  setpriority(PRIO_PROCESS, 0, kLowestPriority);
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
  sigset_t no_signals;
  sigemptyset(&no_signals);
  sigprocmask(SIG_SETMASK, &no_signals, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);  // sockets of ours that would stay open with it
  execve(arguments[0], arguments, environment);
  _exit(kCannotRun);
}

// Reads what there is; false at the end.
bool ReadSome(int fd, Lines& lines) {
  char buffer[4096];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  lines.Add({buffer, static_cast<size_t>(size)});
  return size > 0;
}

// Until both pipes are closed or `cancel` is set: true then.
bool Listen(const Pipe& out, Lines& out_lines, const Pipe& error, Lines& error_lines, const CancelSignal& cancel) {
  pollfd watched[] = {{cancel.fd(), POLLIN, 0}, {out.read_end(), POLLIN, 0}, {error.read_end(), POLLIN, 0}};
  while (watched[1].fd >= 0 || watched[2].fd >= 0) {
    if (poll(watched, 3, -1) < 0) continue;
    if (watched[0].revents != 0) return true;
    if (watched[1].revents != 0 && !ReadSome(watched[1].fd, out_lines)) watched[1].fd = -1;
    if (watched[2].revents != 0 && !ReadSome(watched[2].fd, error_lines)) watched[2].fd = -1;
  }
  return false;
}

// The status of a child that has ended; one that has closed its pipes and lives on can still be cancelled.
int WaitFor(pid_t child, const CancelSignal& cancel, bool& cancelled) {
  constexpr int kLookEveryMs = 20;
  int status = 0;
  while (waitpid(child, &status, cancelled ? 0 : WNOHANG) != child) {
    if (cancelled) continue;
    pollfd watched{cancel.fd(), POLLIN, 0};
    if (poll(&watched, 1, kLookEveryMs) <= 0) continue;
    cancelled = true;
    kill(-child, SIGKILL);
  }
  return status;
}

}  // namespace

CancelSignal::CancelSignal() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  TANDEM_CHECK(fd_ >= 0, std::strerror(errno));
}

CancelSignal::~CancelSignal() { close(fd_); }

void CancelSignal::Set() { eventfd_write(fd_, 1); }

void CancelSignal::Clear() {
  eventfd_t count = 0;
  eventfd_read(fd_, &count);
}

absl::Status StatusOf(const ChildEnd& end, absl::string_view who) {
  if (end.cancelled) return absl::CancelledError("cancelled");
  if (end.signal != 0) {
    return absl::InternalError(absl::StrCat(who, " was ended by signal ", end.signal, " (", strsignal(end.signal), ")",
                                            end.last_error.empty() ? "" : ": ", end.last_error));
  }
  if (end.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(end.last_error.empty() ? absl::StrCat(who, " ended with exit code ", end.exit_code)
                                                    : end.last_error);
}

absl::StatusOr<ChildEnd> RunChild(const std::vector<std::string>& arguments, const CancelSignal& cancel,
                                  const std::function<void(absl::string_view)>& on_line) {
  const auto failed = [&](absl::string_view what) {
    return absl::UnavailableError(absl::StrCat("cannot run ", arguments[0], ": ", what));
  };
  if (access(arguments[0].c_str(), X_OK) != 0) return failed(std::strerror(errno));
  Pipe out, error;
  if (!out.Open() || !error.Open()) return failed(std::strerror(errno));
  std::vector<std::string> words = arguments, variables = Environment();
  const std::vector<char*> argv = Pointers(words), envp = Pointers(variables);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return failed(std::strerror(errno));
  if (child == 0) BecomeChild(argv.data(), envp.data(), out.write_end(), error.write_end(), parent);
  setpgid(child, child);  // whoever of the two comes first
  out.CloseWriteEnd();
  error.CloseWriteEnd();

  ChildEnd end;
  Lines out_lines(on_line);
  Lines error_lines([&](absl::string_view line) { end.last_error = std::string(line); });
  end.cancelled = Listen(out, out_lines, error, error_lines, cancel);
  if (end.cancelled) kill(-child, SIGKILL);
  const int status = WaitFor(child, cancel, end.cancelled);
  out_lines.End();
  error_lines.End();
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace tandem::quantization
