// The commands of tandemctl. Each function adds its own to `app`; the one that is given on the command line ends up in
// `chosen`.
#ifndef TANDEM_CLIENTS_CLI_COMMANDS_H_
#define TANDEM_CLIENTS_CLI_COMMANDS_H_

#include <CLI/CLI.hpp>

#include "clients/cli/connection.h"

namespace tandem::cli {

void AddModels(CLI::App& app, Command& chosen);      // models list|status|load|unload
void AddQuantize(CLI::App& app, Command& chosen);    // quantize
void AddEvaluate(CLI::App& app, Command& chosen);    // evaluate
void AddRoute(CLI::App& app, Command& chosen);       // route show|set|clear, promote, demote, rollback
void AddCompare(CLI::App& app, Command& chosen);     // compare
void AddBench(CLI::App& app, Command& chosen);       // bench
void AddHealth(CLI::App& app, Command& chosen);      // health
void AddHistory(CLI::App& app, Command& chosen);     // history
void AddCompletion(CLI::App& app, Command& chosen);  // completion, of all commands of `app`

}  // namespace tandem::cli

#endif  // TANDEM_CLIENTS_CLI_COMMANDS_H_
