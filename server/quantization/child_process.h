// RunChild: runs a program at the lowest priority, as a child that does not outlive us, and listens to what it says.
#ifndef TANDEM_SERVER_QUANTIZATION_CHILD_PROCESS_H_
#define TANDEM_SERVER_QUANTIZATION_CHILD_PROCESS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tandem::quantization {

// Ends children from another thread. Thread-safe.
class CancelSignal {
 public:
  CancelSignal();
  ~CancelSignal();
  CancelSignal(const CancelSignal&) = delete;
  CancelSignal& operator=(const CancelSignal&) = delete;

  void Set();
  void Clear();
  // Becomes readable when set.
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

struct ChildEnd {
  bool cancelled = false;
  int exit_code = -1;  // -1: ended by `signal`
  int signal = 0;
  std::string last_error;  // the last line it wrote to standard error
};

// OK for a child that ended well; CANCELLED; else what it said last, or how `who` ended.
absl::Status StatusOf(const ChildEnd& end, absl::string_view who);

// Returns when the child has ended. `arguments[0]` is the program's path. The child is the head of a process group of
// its own, runs at nice 19, when nothing else wants the core, on one OpenMP thread, and is killed when this process or
// this thread ends. `on_line` gets each line of its standard output, cut where it is too long. When `cancel` is set the
// whole group is killed. UNAVAILABLE when the child cannot be started.
absl::StatusOr<ChildEnd> RunChild(const std::vector<std::string>& arguments, const CancelSignal& cancel,
                                  const std::function<void(absl::string_view)>& on_line);

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_CHILD_PROCESS_H_
