// The command line of tandemd.
#ifndef TANDEM_SERVER_APP_FLAGS_H_
#define TANDEM_SERVER_APP_FLAGS_H_

#include <string>
#include <variant>

#include "config/server_config.h"

namespace tandem::app {

// What to print before the process ends, and how it ends.
struct Exit {
  int code = 0;
  std::string text;
};

// The configuration from --config FILE and the flags, which win; or what to say instead: help, the version, an error.
std::variant<config::ServerConfig, Exit> ParseFlags(int argc, const char* const* argv);

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_FLAGS_H_
