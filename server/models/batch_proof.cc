#include "server/models/batch_proof.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/status.h"

namespace tandem::models {
namespace {

using engine::DataType;
using engine::Shape;
using engine::Tensor;

constexpr int64_t kProofRows = 2;

// Values tried for dimensions that are neither fixed nor the batch, until the model runs.
constexpr int64_t kTrialDims[] = {64, 320, 16, 8, 4, 2, 1};

double FloatAt(const Tensor& tensor, int64_t i) {
  switch (tensor.type()) {
    case DataType::kFloat32:
      return static_cast<const float*>(tensor.data())[i];
    case DataType::kFloat64:
      return static_cast<const double*>(tensor.data())[i];
    case DataType::kFloat16:
      return engine::HalfToFloat(static_cast<const uint16_t*>(tensor.data())[i]);
    default:
      return engine::BFloat16ToFloat(static_cast<const uint16_t*>(tensor.data())[i]);
  }
}

// Floats in [-1, 1], the bytes of images in [0, 255], and 0 or 1 for all else: indices and flags that most models take.
void FillRandom(Tensor& tensor, std::mt19937& random) {
  std::uniform_real_distribution<float> unit(-1, 1);
  char* data = static_cast<char*>(tensor.data());
  const size_t size = engine::SizeOf(tensor.type());
  for (int64_t i = 0; i < tensor.num_elements(); ++i, data += size) {
    const float value = unit(random);
    switch (tensor.type()) {
      case DataType::kFloat32:
        std::memcpy(data, &value, size);
        break;
      case DataType::kFloat64: {
        const double wide = value;
        std::memcpy(data, &wide, size);
        break;
      }
      case DataType::kFloat16:
      case DataType::kBFloat16: {
        const bool half = tensor.type() == DataType::kFloat16;
        const uint16_t bits = half ? engine::FloatToHalf(value) : engine::FloatToBFloat16(value);
        std::memcpy(data, &bits, size);
        break;
      }
      case DataType::kUInt8:
        *data = static_cast<char>(random() & 0xff);
        break;
      default:
        *data = static_cast<char>(random() & 1);  // little-endian; the rest is zero already
        break;
    }
  }
}

// Rows [first, first + rows) along dimension 0.
Tensor Rows(Tensor& tensor, int64_t first, int64_t rows) {
  Shape shape = tensor.shape();
  const size_t row_bytes = tensor.num_bytes() / static_cast<size_t>(shape[0]);
  shape[0] = rows;
  return Tensor::View(tensor.type(), shape, static_cast<char*>(tensor.data()) + row_bytes * static_cast<size_t>(first));
}

absl::Status Compare(size_t output, Tensor& together, int64_t first, const Tensor& apart, double tolerance) {
  if (together.rank() == 0 || together.dim(0) != 2 * kProofRows || apart.rank() == 0 || apart.dim(0) != kProofRows) {
    return absl::FailedPreconditionError(absl::StrCat("output ", output, " has no row for each row of the inputs (",
                                                      engine::ToString(together.shape()), ")"));
  }
  const Tensor rows = Rows(together, first, kProofRows);
  if (rows.shape() != apart.shape()) {
    return absl::FailedPreconditionError(absl::StrCat("output ", output, " has another shape in a larger batch"));
  }
  const double difference = RelativeDifference(apart, rows);
  if (difference <= tolerance) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("output ", output, " depends on the other rows of a batch (relative difference ", difference, ")"));
}

}  // namespace

bool HasOtherFreeDims(const engine::Model& model) {
  for (const engine::TensorSpec& spec : model.inputs()) {
    if (!spec.has_rank) return true;
    for (size_t d = model.batch_is_free() ? 1 : 0; d < spec.shape.size(); ++d) {
      if (spec.shape[d] == engine::kUnknownDim) return true;
    }
  }
  return false;
}

double RelativeDifference(const Tensor& expected, const Tensor& given) {
  if (!engine::IsFloat(expected.type())) {
    return std::memcmp(expected.data(), given.data(), expected.num_bytes()) == 0 ? 0 : 1;
  }
  double largest = 0;
  double difference = 0;
  for (int64_t i = 0; i < expected.num_elements(); ++i) {
    const double a = FloatAt(expected, i);
    const double b = FloatAt(given, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
      continue;
    }
    if (!std::isfinite(a) || !std::isfinite(b)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(a));
    difference = std::max(difference, std::abs(a - b));
  }
  return difference == 0 ? 0 : difference / std::max(largest, std::numeric_limits<double>::min());
}

Tensor Concatenate(const Tensor& a, const Tensor& b) {
  Shape shape = a.shape();
  shape[0] += b.dim(0);
  Tensor both(a.type(), shape);
  std::memcpy(both.data(), a.data(), a.num_bytes());
  std::memcpy(static_cast<char*>(both.data()) + a.num_bytes(), b.data(), b.num_bytes());
  return both;
}

std::vector<Tensor> TrialRunner::RandomInputs(int64_t rows) {
  std::vector<Tensor> inputs;
  for (const engine::TensorSpec& spec : model_->inputs()) {
    Shape shape = spec.has_rank ? spec.shape : Shape{free_dim_};
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] == engine::kUnknownDim) shape[d] = d == 0 && model_->batch_is_free() ? rows : free_dim_;
    }
    FillRandom(inputs.emplace_back(spec.type, shape), random_);
  }
  return inputs;
}

absl::StatusOr<engine::Execution*> TrialRunner::Prepare(const std::vector<Tensor>& inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  TANDEM_ASSIGN_OR_RETURN(engine::Execution * run, session_->Prepare(model_, shapes));
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::memcpy(run->input(static_cast<int>(i)).data(), inputs[i].data(), inputs[i].num_bytes());
  }
  return run;
}

absl::Status TrialRunner::Run(const std::vector<Tensor>& inputs) {
  TANDEM_ASSIGN_OR_RETURN(engine::Execution * run, Prepare(inputs));
  return run->Run();
}

absl::StatusOr<std::vector<Tensor>> TrialRunner::Outputs(const std::vector<Tensor>& inputs) {
  TANDEM_ASSIGN_OR_RETURN(engine::Execution * run, Prepare(inputs));
  TANDEM_RETURN_IF_ERROR(run->Run());
  std::vector<Tensor> outputs;
  for (size_t i = 0; i < model_->outputs().size(); ++i) outputs.push_back(run->output(static_cast<int>(i)).Clone());
  return outputs;
}

absl::StatusOr<TrialRunner> FindTrial(engine::Session& session, const std::shared_ptr<const engine::Model>& model) {
  absl::Status last;
  for (int64_t dim : kTrialDims) {
    TrialRunner runner(session, model, dim);
    last = runner.Run(runner.RandomInputs(1));
    if (last.ok()) return runner;
    if (!HasOtherFreeDims(*model)) break;
  }
  return last;
}

absl::Status ProveBatching(TrialRunner& runner, double tolerance) {
  const std::vector<Tensor> a = runner.RandomInputs(kProofRows);
  const std::vector<Tensor> b = runner.RandomInputs(kProofRows);
  std::vector<Tensor> joined;
  for (size_t i = 0; i < a.size(); ++i) joined.push_back(Concatenate(a[i], b[i]));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> apart_a, runner.Outputs(a));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> apart_b, runner.Outputs(b));
  TANDEM_ASSIGN_OR_RETURN(std::vector<Tensor> together, runner.Outputs(joined));
  for (size_t i = 0; i < together.size(); ++i) {
    TANDEM_RETURN_IF_ERROR(Compare(i, together[i], 0, apart_a[i], tolerance));
    TANDEM_RETURN_IF_ERROR(Compare(i, together[i], kProofRows, apart_b[i], tolerance));
  }
  return absl::OkStatus();
}

}  // namespace tandem::models
