// How fast the kernels on stored bytes are, for each instruction set, beside copying the same bytes.
//
//   build/bin/kernels_benchmark --benchmark_filter=Add
//
// bytes_per_second counts what is read and written. Sets that this machine lacks are left out. `Plain` is the obvious
// loop: a division, a rounding by the library and a clamp for each element.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "engine/kernels/average_pool.h"
#include "engine/kernels/binary.h"
#include "engine/kernels/channels.h"
#include "engine/kernels/convert.h"
#include "engine/kernels/dynamic.h"
#include "engine/kernels/resize.h"
#include "engine/kernels/table.h"

namespace tandem::engine::kernels {
namespace {

constexpr size_t kPixels = 28 * 28;
constexpr size_t kChannels = 192;
constexpr size_t kCount = kPixels * kChannels;
constexpr size_t kImage = 3 * 224 * 224;
constexpr Quantization kUnsigned = {ByteType::kUInt8, 0.031f, 7};
constexpr Quantization kSigned = {ByteType::kInt8, 0.02f, -3};

// Buffers with which any kernel here can do.
struct Buffers {
  std::vector<uint8_t> a = std::vector<uint8_t>(kImage, 3);
  std::vector<uint8_t> b = std::vector<uint8_t>(kImage, 200);
  std::vector<uint8_t> y = std::vector<uint8_t>(kImage);
  std::vector<float> reals = std::vector<float>(kImage, 1.5f);
};

template <typename F>
void Measure(const std::string& name, size_t bytes, F run) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Buffers buffers;
    for (auto _ : state) {
      run(buffers);
      benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<int64_t>(bytes) * state.iterations());
  });
}

// `run(isa, buffers)` for every set of this machine.
template <typename F>
void MeasureSets(const std::string& name, size_t bytes, F run) {
  const auto measure = [&](const char* set, Isa isa) {
    Measure(name + "/" + set, bytes, [=](Buffers& buffers) { run(isa, buffers); });
  };
  measure("baseline", Isa::kBaseline);
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) measure("avx2", Isa::kAvx2);
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) measure("avx512", Isa::kAvx512);
  if (__builtin_cpu_supports("avx512vbmi")) measure("avx512_vbmi", Isa::kAvx512Vbmi);
#endif
}

void PlainAdd(Buffers& buffers) {
  const Quantization &a = kUnsigned, &b = kUnsigned, &y = kUnsigned;
  for (size_t i = 0; i < kCount; ++i) {
    const float sum = static_cast<float>(buffers.a[i] - a.zero_point) * a.scale +
                      static_cast<float>(buffers.b[i] - b.zero_point) * b.scale;
    const float rounded = std::nearbyint(sum / y.scale) + static_cast<float>(y.zero_point);
    buffers.y[i] = static_cast<uint8_t>(std::clamp(rounded, 0.0f, 255.0f));
  }
}

void RegisterElementwise() {
  Measure("Add/plain", 3 * kCount, PlainAdd);
  MeasureSets("Add", 3 * kCount, [](Isa isa, Buffers& buffers) {
    Add(isa, {kUnsigned, kSigned, kUnsigned, Activation::kRelu}, kCount, buffers.a.data(), buffers.b.data(),
        buffers.y.data());
  });
  MeasureSets("Multiply", 3 * kCount, [](Isa isa, Buffers& buffers) {
    Multiply(isa, {kUnsigned, kSigned, kUnsigned}, kCount, buffers.a.data(), buffers.b.data(), buffers.y.data());
  });
  Measure("Lookup/copy", 2 * kCount, [](Buffers& buffers) { std::memcpy(buffers.y.data(), buffers.a.data(), kCount); });
  const Table table = MakeTable(kUnsigned, kSigned, [](float x) { return std::tanh(x); });
  MeasureSets("Lookup", 2 * kCount,
              [table](Isa isa, Buffers& buffers) { Lookup(isa, table, kCount, buffers.a.data(), buffers.y.data()); });
  MeasureSets("Requantize", 2 * kCount, [](Isa isa, Buffers& buffers) {
    Requantize(isa, kUnsigned, kSigned, kCount, buffers.a.data(), buffers.y.data());
  });
}

void RegisterConversions() {
  Measure("Quantize/copy", 8 * kImage, [](Buffers& buffers) {
    static std::vector<float> to(kImage);
    std::memcpy(to.data(), buffers.reals.data(), 4 * kImage);
  });
  MeasureSets("Quantize", 5 * kImage, [](Isa isa, Buffers& buffers) {
    Quantize(isa, kUnsigned, kImage, buffers.reals.data(), buffers.y.data());
  });
  MeasureSets("Dequantize", 5 * kImage, [](Isa isa, Buffers& buffers) {
    Dequantize(isa, kUnsigned, kImage, buffers.a.data(), buffers.reals.data());
  });
  for (size_t channels : {size_t{3}, size_t{64}}) {
    const size_t pixels = kImage / channels;
    MeasureSets("QuantizeToChannelsLast" + std::to_string(channels), 5 * pixels * channels,
                [=](Isa isa, Buffers& buffers) {
                  QuantizeToChannelsLast(isa, kUnsigned, 1, channels, pixels, buffers.reals.data(), buffers.y.data());
                });
  }
}

void RegisterDynamic() {
  for (size_t count : {size_t{128}, size_t{24 * 2048}}) {
    MeasureSets("QuantizeDynamically" + std::to_string(count), 5 * count, [=](Isa isa, Buffers& buffers) {
      benchmark::DoNotOptimize(QuantizeDynamically(isa, count, buffers.reals.data(), buffers.y.data()));
    });
  }
}

void RegisterChannels() {
  for (size_t channels : {size_t{24}, kChannels}) {
    const size_t rows = kCount / channels;
    MeasureSets("ChannelAffine" + std::to_string(channels), 2 * kCount, [=](Isa isa, Buffers& buffers) {
      ChannelAffine(isa, {kUnsigned, kSigned, Activation::kRelu}, rows, channels, buffers.a.data(),
                    buffers.reals.data(), buffers.reals.data() + channels, buffers.y.data());
    });
  }
  MeasureSets("GlobalAveragePool7x7x1280", 49 * 1280, [](Isa isa, Buffers& buffers) {
    GlobalAveragePool(isa, kUnsigned, kSigned, 1, 49, 1280, buffers.a.data(), buffers.y.data());
  });
  MeasureSets("GlobalAveragePool25x5x64", 125 * 64, [](Isa isa, Buffers& buffers) {
    GlobalAveragePool(isa, kUnsigned, kSigned, 1, 125, 64, buffers.a.data(), buffers.y.data());
  });
  MeasureSets("AveragePool3x3", 2 * kCount, [](Isa isa, Buffers& buffers) {
    const PoolAxis axis = {28, 28, 3, 1, 1, 1};
    AveragePool(isa, kUnsigned, kUnsigned, {axis, axis}, 1, kChannels, buffers.a.data(), buffers.y.data());
  });
  MeasureSets("ResizeLinear14to28", kCount + kCount / 4, [](Isa isa, Buffers& buffers) {
    std::vector<LinearTap> taps;
    for (size_t i = 0; i < 28; ++i)
      taps.push_back({i / 2, std::min<size_t>(i / 2 + 1, 13), i % 2 == 0 ? 0.25f : 0.75f});
    ResizeLinear(isa, kUnsigned, kUnsigned, {14, 28, taps.data()}, {14, 28, taps.data()}, 1, kChannels,
                 buffers.a.data(), buffers.y.data());
  });
}

}  // namespace
}  // namespace tandem::engine::kernels

int main(int argc, char** argv) {
  tandem::engine::kernels::RegisterElementwise();
  tandem::engine::kernels::RegisterConversions();
  tandem::engine::kernels::RegisterDynamic();
  tandem::engine::kernels::RegisterChannels();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
