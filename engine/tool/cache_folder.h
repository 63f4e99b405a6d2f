// Where the tool keeps what it can make again.
#ifndef TANDEM_ENGINE_TOOL_CACHE_FOLDER_H_
#define TANDEM_ENGINE_TOOL_CACHE_FOLDER_H_

#include <filesystem>

#include "absl/status/statusor.h"

namespace tandem::engine {

// $XDG_CACHE_HOME/tandem or $HOME/.cache/tandem. FAILED_PRECONDITION when neither variable is set.
absl::StatusOr<std::filesystem::path> CacheFolder();

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_TOOL_CACHE_FOLDER_H_
