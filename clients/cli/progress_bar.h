// ProgressBar: how far a build is, on one line of the terminal that standard error goes to; nothing where it is none.
#ifndef TANDEM_CLIENTS_CLI_PROGRESS_BAR_H_
#define TANDEM_CLIENTS_CLI_PROGRESS_BAR_H_

#include <string>

#include "clients/cli/connection.h"

namespace tandem::cli {

// "[#########...........] calibrate 45 %, 12 s left".
std::string BarText(const v1::BuildProgress& progress);

class ProgressBar {
 public:
  ProgressBar();
  // Clears the line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(const v1::BuildProgress& progress);

 private:
  const bool terminal_;
  bool shown_ = false;
};

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_PROGRESS_BAR_H_
