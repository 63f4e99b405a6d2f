// The artifact of a version: a folder with model.onnx, report.json and report.md.
#ifndef TANDEM_ENGINE_QUANTIZE_ARTIFACT_H_
#define TANDEM_ENGINE_QUANTIZE_ARTIFACT_H_

#include <map>
#include <string>

#include "absl/status/status.h"

namespace tandem::engine {

// Makes `directory` hold exactly `files` (contents by name, "folder/name" for those inside folders). They are written
// and synced under a temporary name beside it; then it takes its place in one step, so that a reader finds the old
// folder or the new one and whoever is killed leaves at most a folder called .NAME.XXXXXX, which the next write
// removes. What cannot be written leaves the old folder as it was.
absl::Status WriteFolder(const std::string& directory, const std::map<std::string, std::string>& files);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_ARTIFACT_H_
