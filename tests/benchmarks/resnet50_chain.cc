// ResNet-50 as a list of oneDNN primitives written by hand: what a plan could reach at best.
//
// He et al. 2016, strides in the 3x3 convolutions; batch 1; each convolution with its sum and rectifier as post-ops, no
// conversion but the input's, one scratchpad. Weights are arbitrary: it is timed, not checked.
//
//   build/bin/resnet50_chain [int8|fp32] [SECONDS]      prints {"min_ms": .., "p50_ms": ..}
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "dnnl.hpp"

namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

struct Shape {
  int64_t in, out, size, kernel, stride;
};

class Chain {
 public:
  explicit Chain(bool int8) : int8_(int8), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    memory image = Filled({{1, 3, 224, 224}, activations(), Tag::nchw});
    memory x = MaxPool(Conv(image, {3, 64, 224, 7, 2}, nullptr, true));
    int64_t channels = 64, size = 56;
    const int64_t blocks[] = {3, 4, 6, 3};
    for (int64_t stage = 0; stage < 4; ++stage) {
      const int64_t width = 64 << stage;
      for (int64_t block = 0; block < blocks[stage]; ++block) {
        const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
        memory shortcut = x;
        if (block == 0) shortcut = Conv(x, {channels, width * 4, size, 1, stride}, nullptr, false);
        memory h = Conv(x, {channels, width, size, 1, 1}, nullptr, true);
        h = Conv(h, {width, width, size, 3, stride}, nullptr, true);
        size /= stride;
        x = Conv(h, {width, width * 4, size, 1, 1}, &shortcut, true);
        channels = width * 4;
      }
    }
    Classify(x);
    scratchpad_ = memory({{static_cast<int64_t>(scratch_bytes_)}, Type::u8, Tag::x}, engine_);
    for (Call& call : calls_) {
      call.arguments[DNNL_ARG_SCRATCHPAD] = memory(call.scratchpad, engine_, scratchpad_.get_data_handle());
    }
  }

  void Run() {
    for (const Call& call : calls_) call.primitive.execute(stream_, call.arguments);
  }

 private:
  struct Call {
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
    memory::desc scratchpad;
  };

  Type activations() const { return int8_ ? Type::u8 : Type::f32; }

  memory Filled(const memory::desc& desc) {
    memory result(desc, engine_);
    std::memset(result.get_data_handle(), desc.get_data_type() == Type::f32 ? 0 : 1, desc.get_size());
    return result;
  }

  dnnl::primitive_attr Attributes() const {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }

  template <typename Description>
  void Add(const Description& description, dnnl::primitive primitive, std::unordered_map<int, memory> arguments) {
    scratch_bytes_ = std::max(scratch_bytes_, description.scratchpad_desc().get_size());
    calls_.push_back({std::move(primitive), std::move(arguments), description.scratchpad_desc()});
  }

  memory In(const memory& x, const memory::desc& desc) {
    if (x.get_desc() == desc) return x;
    memory converted(desc, engine_);
    const dnnl::reorder::primitive_desc description(engine_, x.get_desc(), engine_, desc, Attributes());
    Add(description, dnnl::reorder(description), {{DNNL_ARG_FROM, x}, {DNNL_ARG_TO, converted}});
    return converted;
  }

  memory Conv(const memory& x, const Shape& s, const memory* addend, bool rectified) {
    const int64_t out = s.size / s.stride, pad = s.kernel / 2;
    dnnl::primitive_attr attributes = Attributes();
    if (int8_) attributes.set_scales_mask(DNNL_ARG_WEIGHTS, 1);
    dnnl::post_ops post_ops;
    if (addend != nullptr) post_ops.append_sum(0.5f, 0, activations());
    if (rectified) post_ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
    attributes.set_post_ops(post_ops);
    const dnnl::convolution_forward::primitive_desc description(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        {{1, s.in, s.size, s.size}, activations(), Tag::any},
        {{s.out, s.in, s.kernel, s.kernel}, int8_ ? Type::s8 : Type::f32, Tag::any}, {{s.out}, Type::f32, Tag::x},
        {{1, s.out, out, out}, activations(), Tag::any}, {s.stride, s.stride}, {0, 0}, {pad, pad}, {pad, pad},
        attributes);
    memory y = addend != nullptr ? In(*addend, description.dst_desc()) : Filled(description.dst_desc());
    std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, In(x, description.src_desc())},
                                                 {DNNL_ARG_WEIGHTS, Filled(description.weights_desc())},
                                                 {DNNL_ARG_BIAS, Filled({{s.out}, Type::f32, Tag::x})},
                                                 {DNNL_ARG_DST, y}};
    if (int8_) {
      memory scales = Filled({{s.out}, Type::f32, Tag::x});
      std::fill_n(static_cast<float*>(scales.get_data_handle()), s.out, 1.0f / static_cast<float>(s.in));
      arguments[DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS] = scales;
    }
    Add(description, dnnl::convolution_forward(description), std::move(arguments));
    return y;
  }

  memory MaxPool(const memory& x) {
    const dnnl::pooling_forward::primitive_desc description(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, x.get_desc(),
        {{1, 64, 56, 56}, activations(), Tag::any}, {2, 2}, {3, 3}, {0, 0}, {1, 1}, {1, 1}, Attributes());
    memory y = Filled(description.dst_desc());
    Add(description, dnnl::pooling_forward(description), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    return y;
  }

  void Classify(const memory& x) {
    const dnnl::pooling_forward::primitive_desc average(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_avg_exclude_padding, x.get_desc(),
        {{1, 2048, 1, 1}, activations(), Tag::any}, {1, 1}, {7, 7}, {0, 0}, {0, 0}, {0, 0}, Attributes());
    memory pooled = Filled(average.dst_desc());
    Add(average, dnnl::pooling_forward(average), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, pooled}});
    const dnnl::matmul::primitive_desc product(engine_, {{1, 2048}, activations(), Tag::ab},
                                               {{2048, 1000}, int8_ ? Type::s8 : Type::f32, Tag::any},
                                               {{1, 1000}, Type::f32, Tag::ab}, Attributes());
    memory row({{1, 2048}, activations(), Tag::ab}, engine_, pooled.get_data_handle());
    kept_.push_back(pooled);
    Add(product, dnnl::matmul(product),
        {{DNNL_ARG_SRC, row},
         {DNNL_ARG_WEIGHTS, Filled(product.weights_desc())},
         {DNNL_ARG_DST, Filled({{1, 1000}, Type::f32, Tag::ab})}});
  }

  const bool int8_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Call> calls_;
  std::vector<memory> kept_;
  memory scratchpad_;
  size_t scratch_bytes_ = 1;
};

}  // namespace

int main(int argc, char** argv) {
  omp_set_num_threads(1);
  const bool int8 = argc < 2 || std::string(argv[1]) == "int8";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1;
  using Clock = std::chrono::steady_clock;
  Chain chain(int8);
  for (int i = 0; i < 3; ++i) chain.Run();
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (times.empty() || Clock::now() < end) {
    const auto begin = Clock::now();
    chain.Run();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("{\"min_ms\": %.3f, \"p50_ms\": %.3f}\n", times.front(), times[times.size() / 2]);
  return 0;
}
