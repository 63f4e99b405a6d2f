// ArtifactStore: finished artifacts under --state-dir, each in a folder named by the hash of all that went into it.
//
// A build works in a folder of its own and is moved in whole, so that a reader never sees a half. Belongs to one
// thread; several processes may share the folder.
#ifndef TANDEM_SERVER_QUANTIZATION_STORE_H_
#define TANDEM_SERVER_QUANTIZATION_STORE_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/model_config.h"
#include "server/quantization/artifacts.h"

namespace tandem::quantization {

// What an artifact is made of.
struct Recipe {
  std::string model_file;
  std::string samples_file;
  std::string labels_file;  // empty: none
  config::QuantizationConfig settings;
};

// The settings as text, for telling them apart.
std::string ToText(const config::QuantizationConfig& settings);

// The name of its artifact: SHA-256 over the bytes of the files, the settings, the CPU's level and the version of this
// server. NOT_FOUND when a file cannot be read. External data beside the model counts as the model.
absl::StatusOr<std::string> HashOf(const Recipe& recipe);

class ArtifactStore {
 public:
  explicit ArtifactStore(const std::string& state_dir)
      : folder_(state_dir.empty() ? std::filesystem::path() : std::filesystem::path(state_dir) / "artifacts") {}

  // Creates the folder and removes what builds of processes that are gone have left behind. FAILED_PRECONDITION when
  // there is no state folder, UNAVAILABLE when it cannot be written.
  absl::Status Prepare() const;

  // NOT_FOUND when there is none; DATA_LOSS when it is damaged, FAILED_PRECONDITION when it was judged on another CPU:
  // it is to be built anew.
  absl::StatusOr<Artifact> Find(const std::string& hash) const;
  void Remove(const std::string& hash) const;

  // Where the build of `hash` is to write its artifact; what is there is removed.
  std::string Workplace(const std::string& hash) const;
  // Moves what a build has finished to its place and returns it. DATA_LOSS when it is not whole.
  absl::StatusOr<Artifact> Adopt(const std::string& hash) const;
  // Removes what a build that did not finish has left.
  void ClearWorkplace() const;

 private:
  std::filesystem::path WorkFolder() const;

  const std::filesystem::path folder_;
};

}  // namespace tandem::quantization

#endif  // TANDEM_SERVER_QUANTIZATION_STORE_H_
