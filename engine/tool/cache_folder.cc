#include "engine/tool/cache_folder.h"

#include <cstdlib>

namespace tandem::engine {

absl::StatusOr<std::filesystem::path> CacheFolder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return std::filesystem::path(cache) / "tandem";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".cache" / "tandem";
  }
  return absl::FailedPreconditionError("neither XDG_CACHE_HOME nor HOME is set: there is no cache folder");
}

}  // namespace tandem::engine
