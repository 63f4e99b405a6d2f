#include "engine/quantize/equalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/quantize/calibrate.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const Tensor& WeightsOf(const Graph& graph, const Layer& layer) { return *graph.ConstantOf(layer.weights); }

// Peaks on the inputs that `maker`'s graph is tested with.
ChannelPeaks PeaksOf(const Graph& graph, const std::vector<EqualizedPair>& pairs) {
  ChannelPeaks peaks;
  for (const EqualizedPair& pair : pairs) {
    if (pair.clipped == kNoValue) continue;
    const Tensor value = (*Evaluate(WithOutputs(graph, {pair.clipped}), InputsOf(graph)))[0];
    const int64_t channels = value.dim(1), inner = value.num_elements() / channels;
    for (int64_t c = 0; c < channels; ++c) {
      float peak = 0;
      for (int64_t i = 0; i < inner; ++i) peak = std::max(peak, std::abs(value.values<float>()[c * inner + i]));
      peaks[pair.clipped].push_back(peak);
    }
  }
  return peaks;
}

TEST(EqualizeTest, TheGraphComputesTheSameAndMagnitudesAreAlike) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 3, 8, 8});
  ValueId y = maker.Op("Relu", {maker.Op("Conv", {x, maker.Weights({8, 3, 3, 3}), maker.Weights({8})})});
  y = maker.Op("LeakyRelu",
               {maker.Op("Conv", {y, maker.Weights({8, 1, 3, 3}), maker.Weights({8})}, With("group", int64_t{8}))});
  y = maker.Op("Relu", {maker.Op("Conv", {y, maker.Weights({6, 4, 1, 1})}, With("group", int64_t{2}))});
  y = maker.Op("Flatten", {maker.Op("GlobalAveragePool", {y})});
  maker.Output(maker.Op("Gemm", {y, maker.Weights({5, 6}), maker.Weights({5})}, With("transB", int64_t{1})));
  const std::vector<Layer> layers = FindLayers(maker.graph);
  const auto pairs = FindEqualizedPairs(maker.graph, layers);
  ASSERT_THAT(pairs, SizeIs(3));
  const Graph equalized = Equalize(maker.graph, layers, pairs, {});
  const std::vector<Tensor> inputs = InputsOf(maker.graph);
  ExpectClose((*Evaluate(equalized, inputs))[0], (*Evaluate(maker.graph, inputs))[0], kReordered);
  const std::vector<Layer> after = FindLayers(equalized);
  for (const EqualizedPair& pair : pairs) {
    const ChannelValues made = OutputMagnitudes(after[pair.first], WeightsOf(equalized, after[pair.first]));
    const ChannelValues read = InputMagnitudes(after[pair.second], WeightsOf(equalized, after[pair.second]));
    ASSERT_EQ(made.size(), read.size());
    for (size_t i = 0; i < made.size(); ++i) EXPECT_NEAR(made[i] / read[i], 1, 0.01);
  }
}

TEST(EqualizeTest, ChannelsThatReachTheLimitOfAClipAreLeftAsTheyAre) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 2, 6, 6});
  Tensor weights(DataType::kFloat32, {3, 2, 1, 1});
  // At most 0.8, 16 and 2 at inputs up to 2.
  const std::vector<float> numbers = {0.2f, 0.2f, 4, 4, 0.5f, 0.5f};
  std::copy(numbers.begin(), numbers.end(), weights.mutable_values<float>().begin());
  const ValueId conv = maker.Op("Conv", {x, maker.Constant(weights)});
  const ValueId clipped = maker.Op("Clip", {conv, maker.Scalar(0), maker.Scalar(6)});
  maker.Output(maker.Op("Conv", {clipped, maker.Weights({4, 3, 1, 1})}));
  const std::vector<Layer> layers = FindLayers(maker.graph);
  const auto pairs = FindEqualizedPairs(maker.graph, layers);
  ASSERT_THAT(pairs, SizeIs(1));
  EXPECT_EQ(pairs[0].clipped, conv);
  EXPECT_EQ(pairs[0].limit, 6);
  const Graph equalized = Equalize(maker.graph, layers, pairs, PeaksOf(maker.graph, pairs));
  const std::vector<Tensor> inputs = InputsOf(maker.graph);
  ExpectClose((*Evaluate(equalized, inputs))[0], (*Evaluate(maker.graph, inputs))[0], kReordered);
  const auto after = WeightsOf(equalized, FindLayers(equalized)[0]).values<float>();
  EXPECT_NE(after[0], 0.2f);
  EXPECT_EQ(after[2], 4);
}

TEST(EqualizeTest, WhatOthersSeeIsNotScaled) {
  GraphMaker twice;
  ValueId y = twice.Op("Relu", {twice.Op("Conv", {twice.Input({1, 4, 4, 4}), twice.Weights({4, 4, 1, 1})})});
  twice.Output(twice.Op("Add", {twice.Op("Conv", {y, twice.Weights({4, 4, 1, 1})}), y}));
  EXPECT_THAT(FindEqualizedPairs(twice.graph, FindLayers(twice.graph)), IsEmpty());
  GraphMaker output;
  y = output.Op("Relu", {output.Op("Conv", {output.Input({1, 4, 4, 4}), output.Weights({4, 4, 1, 1})})});
  output.Output(y);
  output.Output(output.Op("Conv", {y, output.Weights({4, 4, 1, 1})}));
  EXPECT_THAT(FindEqualizedPairs(output.graph, FindLayers(output.graph)), IsEmpty());
}

TEST(EqualizeTest, OtherActivationsAndFlattenedPixelsAreNoPairs) {
  GraphMaker curved;
  ValueId y = curved.Op("Sigmoid", {curved.Op("Conv", {curved.Input({1, 4, 4, 4}), curved.Weights({4, 4, 1, 1})})});
  curved.Output(curved.Op("Conv", {y, curved.Weights({4, 4, 1, 1})}));
  EXPECT_THAT(FindEqualizedPairs(curved.graph, FindLayers(curved.graph)), IsEmpty());
  GraphMaker flat;
  y = flat.Op("Relu", {flat.Op("Conv", {flat.Input({1, 4, 2, 2}), flat.Weights({4, 4, 1, 1})})});
  flat.Output(flat.Op("Gemm", {flat.Op("Flatten", {y}), flat.Weights({16, 3})}));
  EXPECT_THAT(FindEqualizedPairs(flat.graph, FindLayers(flat.graph)), IsEmpty());
}

}  // namespace
}  // namespace tandem::engine
