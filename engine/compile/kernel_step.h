// Steps that run kernels of our own (engine/kernels), most of them on the integers that values are stored as.
#ifndef TANDEM_ENGINE_COMPILE_KERNEL_STEP_H_
#define TANDEM_ENGINE_COMPILE_KERNEL_STEP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/compile/plan_builder.h"
#include "engine/kernels/stored.h"
#include "engine/quantization.h"

namespace tandem::engine {

// The instructions our kernels may use: those that oneDNN uses, so that one limit holds for both.
kernels::Isa KernelIsa();

// A quantization of all elements alike, in the kernels' terms.
kernels::Quantization ForKernels(const Quantization& quantization);

// The post-ops of `node`, if they are none or a rectifier, which our kernels apply themselves.
std::optional<kernels::Activation> ActivationOf(const Node& node);

// Called at each run with the address of each buffer, in order.
using KernelCall = std::function<void(void* const* addresses)>;

// Appends a step that calls `run` on `buffers`. `name` is for profiles.
void AddKernel(PlanBuilder& builder, std::vector<BufferId> buffers, KernelCall run, std::string name);

inline const uint8_t* Bytes(const void* address) { return static_cast<const uint8_t*>(address); }
inline uint8_t* Bytes(void* address) { return static_cast<uint8_t*>(address); }
inline const float* Floats(const void* address) { return static_cast<const float*>(address); }
inline float* Floats(void* address) { return static_cast<float*>(address); }

// How many elements a layout without gaps has, those that fill blocks included.
size_t ElementsOf(const dnnl::memory::desc& desc);

// Appends a conversion between two layouts, types and quantizations of one value.
void AddConversion(PlanBuilder& builder, const StoredPlacement& from, const StoredPlacement& to,
                   const std::string& name);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_COMPILE_KERNEL_STEP_H_
