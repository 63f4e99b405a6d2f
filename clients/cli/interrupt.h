// Interrupt: does something at the first Ctrl-C, while it lives; the second one ends the process as ever. One at a
// time.
#ifndef TANDEM_CLIENTS_CLI_INTERRUPT_H_
#define TANDEM_CLIENTS_CLI_INTERRUPT_H_

#include <functional>
#include <thread>

namespace tandem::cli {

class Interrupt {
 public:
  // `action` is called from a thread of its own.
  explicit Interrupt(std::function<void()> action);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  std::thread thread_;
};

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_INTERRUPT_H_
