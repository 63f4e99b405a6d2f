// The files behind loaded versions of a model, for scoring their variants.
#ifndef TANDEM_SERVER_MODELS_FILES_TO_EVALUATE_H_
#define TANDEM_SERVER_MODELS_FILES_TO_EVALUATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "server/models/variant.h"

namespace tandem::models {

struct VariantFile {
  int64_t version = 0;
  Precision precision = Precision::kFp32;
  std::string file;
};

struct FilesToEvaluate {
  std::vector<VariantFile> variants;  // by version as asked for, fp32 first
  // Beside the model; empty when they are not there.
  std::string samples_file;
  std::string labels_file;
};

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_FILES_TO_EVALUATE_H_
