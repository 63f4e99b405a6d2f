// Runs a function in a child process, so that whatever it does to itself shows and stays there.
#ifndef TANDEM_TESTS_CONFORMANCE_ISOLATE_H_
#define TANDEM_TESTS_CONFORMANCE_ISOLATE_H_

#include <functional>
#include <string>

namespace tandem::conformance {

struct IsolatedResult {
  // Empty when the child ended well, else how it died: "signal 11 (Segmentation fault)", "exit code 3", "timeout".
  std::string death;
  std::string output;  // what `work` returned, when it ended well
};

// The caller must have one thread only.
IsolatedResult RunIsolated(const std::function<std::string()>& work, int timeout_seconds);

}  // namespace tandem::conformance

#endif  // TANDEM_TESTS_CONFORMANCE_ISOLATE_H_
