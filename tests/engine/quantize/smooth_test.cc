#include "engine/quantize/smooth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/quantize/calibrate.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// The largest magnitude in each column of `value`.
ChannelValues PeaksOf(const Graph& graph, ValueId value) {
  const Tensor tensor = (*Evaluate(WithOutputs(graph, {value}), InputsOf(graph)))[0];
  ChannelValues peaks(tensor.dim(-1), 0);
  const auto numbers = tensor.values<float>();
  for (size_t i = 0; i < numbers.size(); ++i) {
    float& peak = peaks[i % peaks.size()];
    peak = std::max(peak, std::abs(numbers[i]));
  }
  return peaks;
}

float Spread(const ChannelValues& peaks) {
  const auto [least, most] = std::minmax_element(peaks.begin(), peaks.end());
  return *most / *least;
}

// Factors by channel with an outlier.
Tensor WithOutlier(int64_t channels) {
  Tensor tensor(DataType::kFloat32, {channels});
  std::fill_n(tensor.mutable_values<float>().begin(), channels, 1.0f);
  tensor.mutable_values<float>()[1] = 50;
  return tensor;
}

void ExpectSmoothed(const Graph& graph) {
  const std::vector<Layer> layers = FindLayers(graph);
  const auto values = FindSmoothedValues(graph, layers);
  ASSERT_THAT(values, SizeIs(1));
  const ValueId value = values[0].value;
  const ChannelValues peaks = PeaksOf(graph, value);
  const Graph smoothed = Smooth(graph, layers, values, {{value, peaks}}, 0.75f);
  const std::vector<Tensor> inputs = InputsOf(graph), before = *Evaluate(graph, inputs),
                            after = *Evaluate(smoothed, inputs);
  for (size_t i = 0; i < before.size(); ++i) ExpectClose(after[i], before[i], kReordered);
  EXPECT_LT(Spread(PeaksOf(smoothed, value)), Spread(peaks) / 5);
}

TEST(SmoothTest, LayerNormalizationIsScaledForAllOfItsReaders) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 5, 8});
  const ValueId y = maker.Op("LayerNormalization", {x, maker.Constant(WithOutlier(8)), maker.Weights({8})},
                             With("axis", int64_t{-1}));
  maker.Output(maker.Op("MatMul", {y, maker.Weights({8, 6})}));
  maker.Output(maker.Op("MatMul", {y, maker.Weights({8, 3})}));
  ExpectSmoothed(maker.graph);
}

TEST(SmoothTest, ScalesAndShiftsByChannelTakeTheFactors) {
  GraphMaker maker;
  const ValueId x = maker.Input({4, 8});
  const ValueId y = maker.Op("Add", {maker.Op("Mul", {maker.Constant(WithOutlier(8)), x}), maker.Weights({8})});
  maker.Output(maker.Op("Gemm", {y, maker.Weights({6, 8}), maker.Weights({6})}, With("transB", int64_t{1})));
  ExpectSmoothed(maker.graph);
}

TEST(SmoothTest, WhatOthersReadOrNoConstantMakesIsLeftAsItIs) {
  GraphMaker residual;
  ValueId x = residual.Input({4, 8});
  const ValueId y = residual.Op("Mul", {x, residual.Weights({8})});
  residual.Output(residual.Op("Add", {residual.Op("MatMul", {y, residual.Weights({8, 8})}), y}));
  EXPECT_THAT(FindSmoothedValues(residual.graph, FindLayers(residual.graph)), IsEmpty());
  GraphMaker shifted;
  x = shifted.Input({4, 8});
  shifted.Output(shifted.Op("MatMul", {shifted.Op("Add", {x, shifted.Weights({8})}), shifted.Weights({8, 8})}));
  EXPECT_THAT(FindSmoothedValues(shifted.graph, FindLayers(shifted.graph)), IsEmpty());
}

}  // namespace
}  // namespace tandem::engine
