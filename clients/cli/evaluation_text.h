// An evaluation for people.
#ifndef TANDEM_CLIENTS_CLI_EVALUATION_TEXT_H_
#define TANDEM_CLIENTS_CLI_EVALUATION_TEXT_H_

#include <cstddef>
#include <string>

#include "clients/cli/connection.h"

namespace tandem::cli {

// A table with a row for each variant, as wide as `width` at most (0: no limit), and what there is to say besides.
std::string EvaluationText(const v1::Evaluation& evaluation, size_t width);

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_EVALUATION_TEXT_H_
