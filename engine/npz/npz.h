// NumPy's .npy and .npz files <-> tensors.
//
// Format: NumPy Enhancement Proposal 1 (versions 1.0 to 3.0), an .npz being a zip archive of .npy members.
#ifndef TANDEM_ENGINE_NPZ_NPZ_H_
#define TANDEM_ENGINE_NPZ_NPZ_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/tensor.h"

namespace tandem::engine {

using NamedTensors = std::map<std::string, Tensor>;

// Errors name the file and the member. Column-major arrays and byte orders other than little-endian are refused.
absl::StatusOr<NamedTensors> ReadNpz(const std::string& path);
absl::StatusOr<Tensor> ReadNpy(const std::string& path);
// Written to a temporary name first, then renamed: readers see the old file or the whole new one.
absl::Status WriteNpz(const std::string& path, const NamedTensors& tensors);

// What the header of an .npy file says, and where its elements begin.
struct NpyHeader {
  DataType type = DataType::kUndefined;
  Shape shape;
  size_t data_offset = 0;
};
// `bytes`: the beginning of the file, kMaxNpyHeader of them if there are as many.
inline constexpr size_t kMaxNpyHeader = size_t{1} << 16;
absl::StatusOr<NpyHeader> ParseNpyHeader(absl::string_view bytes);

// One .npy file in memory. NumPy has no bfloat16: such tensors are written as float32.
absl::StatusOr<Tensor> ParseNpy(absl::string_view bytes);
std::string FormatNpy(const Tensor& tensor);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_NPZ_NPZ_H_
