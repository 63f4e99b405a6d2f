#include "tests/engine/stored_graphs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/compile/saturation.h"

namespace tandem::engine {

using ::testing::HasSubstr;
using ::testing::Not;

namespace {

ValueId ZeroPoint(GraphMaker& maker, const Scheme& scheme) {
  if (scheme.is_signed) return maker.Constant(Tensor::Scalar<int8_t>(static_cast<int8_t>(scheme.zero_point)));
  return maker.Constant(Tensor::Scalar<uint8_t>(static_cast<uint8_t>(scheme.zero_point)));
}

}  // namespace

ValueId Rounded(GraphMaker& maker, ValueId x, const Scheme& scheme) {
  const ValueId scale = maker.Scalar(scheme.scale), zero = ZeroPoint(maker, scheme);
  return maker.Op("DequantizeLinear", {maker.Op("QuantizeLinear", {x, scale, zero}), scale, zero});
}

ValueId StoredWeights(GraphMaker& maker, const Shape& shape, int64_t channels, int64_t axis, int bits) {
  const Tensor real = RandomFloats(shape, static_cast<uint32_t>(NumElements(shape)));
  Tensor stored(DataType::kInt8, shape);
  for (int64_t i = 0; i < real.num_elements(); ++i) {
    stored.mutable_values<int8_t>()[i] =
        static_cast<int8_t>(std::lround(real.values<float>()[i] * (bits == 7 ? 31 : 63)));
  }
  Tensor scales(DataType::kFloat32, {channels}), zeros(DataType::kInt8, {channels});
  for (int64_t c = 0; c < channels; ++c) {
    scales.mutable_values<float>()[c] = 0.008f + 0.001f * static_cast<float>(c % 5);
  }
  return maker.Op("DequantizeLinear", {maker.Constant(stored), maker.Constant(scales), maker.Constant(zeros)},
                  With("axis", axis));
}

void ExpectWithin(const Graph& graph, float step, float steps) {
  const std::vector<Tensor> inputs = InputsOf(graph);
  const auto expected = Evaluate(graph, inputs);
  const auto actual = RunPlan(graph, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status();
  ASSERT_TRUE(actual.ok()) << actual.status();
  for (size_t o = 0; o < expected->size(); ++o) {
    const auto want = (*expected)[o].values<float>(), have = (*actual)[o].values<float>();
    ASSERT_EQ((*actual)[o].shape(), (*expected)[o].shape());
    float largest = 0, spread = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      largest = std::max(largest, std::abs(want[i] - have[i]));
      spread = std::max(spread, std::abs(want[i]));
    }
    EXPECT_LE(largest, steps * step * 1.001f) << "of values up to " << spread;
    EXPECT_GT(spread, 10 * step) << "the test shows little";
  }
}

void ExpectIntegers(const Graph& graph, const char* kind, int products) {
  if (PairsSaturate()) return;
  int found = 0;
  for (const std::string& step : StepsOf(graph)) {
    EXPECT_THAT(step, Not(HasSubstr("reference"))) << step;
    // oneDNN's names of kernels that multiply integers. Newer ones are called after AVX10 where the CPU has more than
    // VNNI.
    const auto names = [&](const char* part) { return step.find(part) != std::string::npos; };
    const bool over_integers = names("int") || names("vnni") || names("amx") || names("x8") || names("avx10");
    if (step.find(kind) == 0 && over_integers) ++found;
  }
  EXPECT_EQ(found, products);
}

ValueId StoredConv(GraphMaker& maker, ValueId x, const ConvCase& c, bool with_bias) {
  Shape weights = {c.out, c.x[1] / c.groups};
  weights.insert(weights.end(), c.kernel.begin(), c.kernel.end());
  std::vector<ValueId> inputs = {x, StoredWeights(maker, weights, c.out, 0)};
  if (with_bias) inputs.push_back(maker.Weights({c.out}));
  return maker.Op("Conv", inputs,
                  With("group", c.groups).And("strides", c.strides).And("pads", c.pads).And("dilations", c.dilations));
}

}  // namespace tandem::engine
