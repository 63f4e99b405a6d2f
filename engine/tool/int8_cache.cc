#include "engine/tool/int8_cache.h"

#include <filesystem>
#include <utility>

#include "engine/onnx/export.h"
#include "engine/quantize/artifact.h"
#include "engine/quantize/quantizer.h"
#include "engine/session.h"
#include "engine/sha256.h"
#include "engine/status.h"
#include "engine/tool/cache_folder.h"
#include "engine/tool/inputs.h"
#include "engine/tool/npz_samples.h"

namespace tandem::engine {

namespace {

class RandomSamples : public Samples {
 public:
  RandomSamples(std::vector<TensorSpec> inputs, std::vector<Shape> shapes)
      : inputs_(std::move(inputs)), shapes_(std::move(shapes)) {}
  int64_t size() const override { return 16; }
  absl::StatusOr<std::vector<Tensor>> Read(int64_t index) override {
    std::vector<Tensor> tensors;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      tensors.push_back(RandomTensor(inputs_[i].type, shapes_[i], static_cast<uint32_t>(100 * index + i)));
    }
    return tensors;
  }

 private:
  const std::vector<TensorSpec> inputs_;
  const std::vector<Shape> shapes_;
};

// Names the variant by all that goes into it; a change of how it is made changes the leading number.
absl::StatusOr<std::string> KeyOf(const BenchOptions& options, const std::vector<Shape>& shapes) {
  TANDEM_ASSIGN_OR_RETURN(const std::string model, Sha256OfFile(options.model));
  std::string from = absl::StrCat("1 ", model, " ", CpuLevel(), " ", options.threads);
  if (options.samples.empty()) {
    for (const Shape& shape : shapes) absl::StrAppend(&from, " ", ToString(shape));
  } else {
    TANDEM_ASSIGN_OR_RETURN(const std::string samples, Sha256OfFile(options.samples));
    absl::StrAppend(&from, " ", samples);
  }
  return Sha256Of(from);
}

}  // namespace

absl::StatusOr<std::string> Int8Variant(const BenchOptions& options, const std::vector<Shape>& shapes) {
  TANDEM_ASSIGN_OR_RETURN(const std::filesystem::path cache, CacheFolder());
  TANDEM_ASSIGN_OR_RETURN(const std::string key, KeyOf(options, shapes));
  const std::filesystem::path folder = cache / key, file = folder / "model.onnx";
  std::error_code error;
  if (std::filesystem::exists(file, error)) return file.string();
  TANDEM_ASSIGN_OR_RETURN(const Graph graph, LoadQuantizable(options.model));
  std::unique_ptr<Samples> samples;
  if (options.samples.empty()) {
    samples = std::make_unique<RandomSamples>(InputSpecs(graph), shapes);
  } else {
    TANDEM_ASSIGN_OR_RETURN(samples, OpenNpzSamples(options.samples, InputSpecs(graph)));
  }
  QuantizeOptions quantize;
  quantize.threads = options.threads;
  quantize.cpu_level = std::string(CpuLevel());
  quantize.speed_only = options.samples.empty();
  TANDEM_ASSIGN_OR_RETURN(const Quantized result, Quantize(graph, *samples, quantize));
  if (!result.graph.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(options.model, ": has no int8 variant: ", result.report.reason));
  }
  TANDEM_ASSIGN_OR_RETURN(std::string bytes, ExportOnnxBytes(*result.graph));
  TANDEM_RETURN_IF_ERROR(WriteFolder(folder.string(), {{"model.onnx", std::move(bytes)}}));
  return file.string();
}

}  // namespace tandem::engine
