// What is on disk: models named on the command line and those found in repositories (MODEL/VERSION/model.onnx).
#ifndef TANDEM_SERVER_MODELS_REPOSITORY_H_
#define TANDEM_SERVER_MODELS_REPOSITORY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tandem::models {

struct VersionFiles {
  std::string model_file;
  int64_t bytes = 0;  // of all its files, external data included
  // Changes when any of the version's files does: sizes and modification times.
  std::string stamp;
  // A ready-made int8 sibling: VERSION/int8 with a model.onnx in it, and its stamp; empty when there is none.
  std::string int8_folder;
  std::string int8_stamp;
};

struct ModelFiles {
  std::string name;
  std::string config_file;  // "" when there is none
  // What int8 siblings are built from: MODEL/samples/inputs.npz and labels.npy; empty when they are not there.
  std::string samples_file;
  std::string labels_file;
  std::string samples_stamp;
  // Why there are none, where they are to come from live requests; empty otherwise.
  std::string samples_note;
  std::map<int64_t, VersionFiles> versions;
};

// The models of one repository, by name. Folders without a version (a positive number with a model.onnx) are not
// models; names that start with a dot are skipped. UNAVAILABLE when the folder cannot be read.
absl::StatusOr<std::vector<ModelFiles>> ScanRepository(const std::string& folder);

// A file served as version 1 of the model that has the file's base name. NOT_FOUND when it does not exist.
absl::StatusOr<ModelFiles> SingleFile(const std::string& path);

// Bytes of memory that loading a model of so many bytes in files takes at most, for the time it takes.
int64_t BytesToLoad(int64_t file_bytes);

// The versions a policy keeps, newest first; `latest` more may be tried when one of them fails to load.
std::vector<int64_t> NewestFirst(const ModelFiles& files);

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_REPOSITORY_H_
