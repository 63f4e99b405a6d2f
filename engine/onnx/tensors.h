// TensorProto <-> Tensor.
#ifndef TANDEM_ENGINE_ONNX_TENSORS_H_
#define TANDEM_ENGINE_ONNX_TENSORS_H_

#include <onnx/onnx_pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "engine/tensor.h"

namespace tandem::engine {

// ONNX's number for an element type, or an error naming the type when the engine has none for it.
absl::StatusOr<DataType> DataTypeFromOnnx(int32_t onnx_type);

// The tensor in `proto`, in its own type. External data are read from `directory`; a location that leaves it, an offset
// outside its file or a size that does not fit the shape is an error naming the tensor.
absl::StatusOr<Tensor> TensorFromOnnx(const onnx::TensorProto& proto, const std::string& directory);

// ONNX's number for `type`, which is not kUndefined.
int32_t DataTypeToOnnx(DataType type);

// Type, dimensions and bytes of `tensor` into `proto`.
void TensorToOnnx(const Tensor& tensor, onnx::TensorProto& proto);

// float16 and bfloat16 tensors as float32; others unchanged.
Tensor WidenHalf(const Tensor& tensor);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ONNX_TENSORS_H_
