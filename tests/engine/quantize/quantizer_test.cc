// Sites, the graphs that come out, and the quantizer as a whole on small networks.
#include "engine/quantize/quantizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/onnx/export.h"
#include "engine/quantize/channels.h"
#include "engine/quantize/graph_runner.h"
#include "engine/quantize/insert.h"
#include "engine/quantize/methods.h"
#include "engine/quantize/sites.h"
#include "engine/quantize/weights.h"
#include "tests/engine/graph_maker.h"
#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class FixedSamples : public Samples {
 public:
  FixedSamples(const Graph& graph, int64_t count) : graph_(graph), count_(count) {}
  int64_t size() const override { return count_; }
  absl::StatusOr<std::vector<Tensor>> Read(int64_t index) override {
    std::vector<Tensor> inputs;
    for (ValueId id : graph_.inputs()) {
      inputs.push_back(RandomFloats(*graph_.value(id).shape, static_cast<uint32_t>(1000 + index)));
    }
    return inputs;
  }

 private:
  const Graph& graph_;
  const int64_t count_;
};

// Convolutions with a residual sum, pooling and a classifier.
struct Network {
  GraphMaker maker;
  ValueId x, first, pooled, second, sum, logits;
  Network() {
    x = maker.Input({1, 3, 16, 16});
    first = maker.Op("Relu", {maker.Op("Conv", {x, maker.Weights({8, 3, 3, 3}), maker.Weights({8})})});
    pooled = maker.Op("MaxPool", {first}, With("kernel_shape", IntList{2, 2}).And("strides", IntList{2, 2}));
    second = maker.Op("Conv", {pooled, maker.Weights({8, 8, 1, 1}), maker.Weights({8})});
    sum = maker.Op("Relu", {maker.Op("Add", {second, pooled})});
    const ValueId flat = maker.Op("Flatten", {sum});
    logits = maker.Op("Gemm", {flat, maker.Weights({392, 5}), maker.Weights({5})});
    maker.Output(logits);
  }
  std::vector<Layer> Layers() const { return FindLayers(maker.graph); }
};

std::vector<ValueId> AllSites(const Graph& graph, const std::vector<Layer>& layers, const std::vector<bool>& int8) {
  std::vector<ValueId> sites;
  for (const SiteGroup& group : FindSites(graph, layers, int8)) {
    sites.insert(sites.end(), group.values.begin(), group.values.end());
  }
  return sites;
}

TEST(SitesTest, DataMovementSharesTheScaleOfBothEnds) {
  const Network net;
  const auto groups = FindSites(net.maker.graph, net.Layers(), {true, true, true});
  const auto with_pool = std::find_if(groups.begin(), groups.end(), [&](const SiteGroup& group) {
    return std::count(group.values.begin(), group.values.end(), net.pooled) > 0;
  });
  ASSERT_NE(with_pool, groups.end());
  EXPECT_THAT(with_pool->values, ElementsAre(net.first, net.pooled));
}

TEST(SitesTest, AConvolutionIsNotQuantizedBeforeTheSumItTakesIn) {
  const Network net;
  EXPECT_THAT(AllSites(net.maker.graph, net.Layers(), {true, true, true}), Not(Contains(net.second)));
}

TEST(SitesTest, OfTwoConvolutionsThatAreAddedOneIsStored) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 4, 4, 4});
  const ValueId a = maker.Op("Conv", {x, maker.Weights({4, 4, 1, 1})});
  const ValueId b = maker.Op("Conv", {x, maker.Weights({4, 4, 1, 1})});
  const ValueId sum = maker.Op("Relu", {maker.Op("Add", {a, b})});
  maker.Output(maker.Op("Conv", {sum, maker.Weights({4, 4, 1, 1})}));
  EXPECT_THAT(AllSites(maker.graph, FindLayers(maker.graph), {true, true, true}), ElementsAre(x, b, sum));
}

TEST(SitesTest, LayersLeftInFloatNeedNoSites) {
  const Network net;
  EXPECT_THAT(AllSites(net.maker.graph, net.Layers(), {true, false, false}), ElementsAre(net.x));
}

TEST(InsertTest, TheGraphComputesAlmostTheSame) {
  const Network net;
  const Graph& graph = net.maker.graph;
  Scheme scheme;
  for (ValueId id : AllSites(graph, net.Layers(), {true, true, true})) {
    scheme.activations[id] = ParamsForRange(-130, 130);
  }
  scheme.activations[net.x] = ParamsForRange(-2, 2);
  for (const Layer& layer : net.Layers()) {
    scheme.layers[layer.node] = QuantizeWeights(*graph.ConstantOf(layer.weights), layer.channel_axis, {});
    scheme.layers[layer.node].bias = *graph.ConstantOf(layer.bias);
  }
  const Graph quantized = InsertQuantization(graph, net.Layers(), scheme);
  ASSERT_TRUE(quantized.Validate().ok());
  const std::vector<std::string> ops = OpsOf(quantized);
  EXPECT_EQ(std::count(ops.begin(), ops.end(), "QuantizeLinear"), 5);
  EXPECT_EQ(std::count(ops.begin(), ops.end(), "DequantizeLinear"), 5 + 6);
  const std::vector<Tensor> inputs = InputsOf(graph);
  ExpectClose((*Evaluate(quantized, inputs))[0], (*Evaluate(graph, inputs))[0], 0.05);
}

TEST(QuantizerTest, TheSameSeedAndTimesGiveTheSameFile) {
  const Network net;
  FixedSamples samples(net.maker.graph, 40);
  // Times that let the first layer be slow in int8, whatever this machine makes of it.
  absl::StatusOr<TimeBook> times = TimeBook::FromText(
      R"({"layers 000": [1, 50, 50], "layers 111": [9, 10, 10], "runs 111 011": [30, 20], "runs 011 001": [20, 60],
          "runs 011 010": [20, 60]})");
  ASSERT_TRUE(times.ok());
  QuantizeOptions options;
  options.times = &*times;
  std::vector<std::string> files;
  for (int run = 0; run < 2; ++run) {
    const auto result = Quantize(net.maker.graph, samples, options);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_TRUE(result->graph.has_value());
    EXPECT_FALSE(result->report.layers[0].int8);
    EXPECT_THAT(result->report.layers[0].reason, HasSubstr("slower in int8: 9.0 us"));
    files.push_back(*ExportOnnxBytes(*result->graph));
  }
  EXPECT_EQ(files[0], files[1]);
}

TEST(QuantizerTest, TheArtifactReadsBack) {
  const Network net;
  FixedSamples samples(net.maker.graph, 40);
  const auto result = Quantize(net.maker.graph, samples, {});
  ASSERT_TRUE(result.ok()) << result.status();
  const Report& report = result->report;
  EXPECT_EQ(report.layers.size(), 3u);
  ASSERT_TRUE(report.loss.has_value());
  EXPECT_EQ(report.loss->metric, "agreement");
  EXPECT_EQ(report.loss->samples, 20);
  EXPECT_GE(report.loss->upper, report.loss->value);
  if (!result->graph.has_value()) return;  // nothing gains on this machine
  const TemporaryFolder folder;
  const auto model = Model::Load(folder.Write("model.onnx", *ExportOnnxBytes(*result->graph)));
  ASSERT_TRUE(model.ok()) << model.status();
  Session session;
  const std::vector<Tensor> inputs = *samples.Read(3);
  GraphRunner exact(net.maker.graph, 1);
  ExpectClose((*RunModel(session, *model, inputs))[0], (*exact.Run(inputs))[0], 0.05);
}

TEST(QuantizerTest, EveryMethodGivesAVerdict) {
  const Network net;
  for (const char* method : {"integer", "fixed_point", "binary"}) {
    FixedSamples samples(net.maker.graph, 20);
    QuantizeOptions options;
    options.method = method;
    const auto result = Quantize(net.maker.graph, samples, options);
    ASSERT_TRUE(result.ok()) << method << ": " << result.status();
    EXPECT_EQ(result->report.method, method);
    EXPECT_FALSE(result->report.reason.empty());
  }
}

TEST(QuantizerTest, ABudgetThatSignsCannotMeetIsBlamedOnLayers) {
  GraphMaker maker;
  ValueId x = maker.Input({1, 3, 16, 16});
  for (const int64_t channels : {3, 16, 16, 16, 16}) {
    x = maker.Op("Relu", {maker.Op("Conv", {x, maker.Weights({16, channels, 3, 3}), maker.Weights({16})})});
  }
  maker.Output(x);
  FixedSamples samples(maker.graph, 20);
  QuantizeOptions options;
  options.method = "binary";
  const auto result = Quantize(maker.graph, samples, options);
  ASSERT_TRUE(result.ok()) << result.status();
  const Report& report = result->report;
  EXPECT_EQ(report.verdict, Verdict::kRejected);
  EXPECT_THAT(report.reason, HasSubstr("The layers that cost most: Conv"));
  EXPECT_THAT(report.notes, Contains(HasSubstr("6912 signs in 8 bits")));
  // What was tried is there to be looked at, and measured.
  EXPECT_TRUE(result->graph.has_value());
  EXPECT_GT(report.loss.value().lower, report.loss->budget);
  double shares = 0;
  for (const LayerReport& layer : report.layers) shares += layer.noise_share.value_or(0);
  EXPECT_NEAR(shares, 1, 1e-6);
}

TEST(QuantizerTest, RepairsAreToldOfAndStayOnlyWhenTheyHelp) {
  GraphMaker maker;
  const ValueId x = maker.Input({1, 3, 16, 16});
  // One channel is a hundred times as large as the others, and read with weights a hundred times as small.
  Tensor first = RandomFloats({8, 3, 3, 3}, 1), second = RandomFloats({8, 8, 3, 3}, 2);
  ChannelValues grows(8, 1), shrinks(8, 1);
  grows[2] = 100;
  shrinks[2] = 0.01f;
  ScaleOutputs({.reduction_axis = 1, .channel_axis = 0}, grows, first);
  ScaleInputs({.reduction_axis = 1, .channel_axis = 0}, shrinks, second);
  const ValueId between = maker.Op("Relu", {maker.Op("Conv", {x, maker.Constant(first)})});
  maker.Output(maker.Op("Relu", {maker.Op("Conv", {between, maker.Constant(second)})}));
  FixedSamples samples(maker.graph, 20);
  const auto result = Quantize(maker.graph, samples, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->report.notes, Contains(HasSubstr("cross-layer equalization: kept")));
  EXPECT_THAT(result->report.notes, Not(Contains(HasSubstr("smoothing"))));
}

TEST(QuantizerTest, PairsOfWeightsAreLimitedWhereSumsSaturate) {
  const Network net;
  FixedSamples samples(net.maker.graph, 20);
  QuantizeOptions options;
  options.cpu_level = "avx2";
  const auto result = Quantize(net.maker.graph, samples, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->report.isa, "avx2");
  EXPECT_TRUE(SumsSaturate("avx512_core"));
  EXPECT_FALSE(SumsSaturate("avx512_core_vnni"));
  if (!result->graph.has_value()) return;  // nothing gains on this machine
  EXPECT_THAT(result->report.notes, Contains(HasSubstr("limited pairs")));
}

TEST(QuantizerTest, OneSampleIsNeverAProof) {
  const Network net;
  FixedSamples samples(net.maker.graph, 1);
  const auto result = Quantize(net.maker.graph, samples, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NE(result->report.verdict, Verdict::kProven);
  EXPECT_THAT(result->report.notes, Contains(HasSubstr("one sample")));
}

TEST(QuantizerTest, NoSamplesAreAnError) {
  const Network net;
  FixedSamples samples(net.maker.graph, 0);
  EXPECT_THAT(std::string(Quantize(net.maker.graph, samples, {}).status().message()), HasSubstr("no samples"));
}

TEST(QuantizerTest, AModelWithoutLayersIsRejectedWithTheReason) {
  GraphMaker maker;
  maker.Output(maker.Op("Relu", {maker.Input({1, 4})}));
  FixedSamples samples(maker.graph, 20);
  const auto result = Quantize(maker.graph, samples, {});
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->graph.has_value());
  EXPECT_EQ(result->report.verdict, Verdict::kRejected);
  EXPECT_THAT(result->report.reason, HasSubstr("nothing to quantize"));
}

TEST(QuantizerTest, LabelsChooseAccuracyAndMustBeClasses) {
  const Network net;
  FixedSamples samples(net.maker.graph, 20);
  QuantizeOptions options;
  options.labels = std::vector<int64_t>(20, 2);
  const auto result = Quantize(net.maker.graph, samples, options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->report.loss->metric, "top1");
  options.labels[7] = 5;
  EXPECT_THAT(std::string(Quantize(net.maker.graph, samples, options).status().message()), HasSubstr("5 classes"));
}

TEST(ReportTest, JsonHoldsWhatReadersLookFor) {
  Report report;
  report.verdict = Verdict::kInconclusive;
  report.loss = LossReport{.metric = "agreement", .value = 0.01, .lower = 0, .upper = 0.06, .budget = 0.05};
  report.fp32_ms = 3;
  report.int8_ms = 2;
  report.layers.push_back({.name = "bad \xff name", .op = "Conv", .int8 = true});
  const auto json = nlohmann::json::parse(ReportAsJson(report));
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["verdict"], "inconclusive");
  EXPECT_EQ(json["speed"]["ratio"], 1.5);
  EXPECT_EQ(json["layers"][0]["precision"], "int8");
  EXPECT_THAT(ReportAsMarkdown(report), HasSubstr("inconclusive"));
}

TEST(ReportTest, MethodsStandSideBySide) {
  Report judged, refused;
  judged.method = "integer";
  judged.verdict = Verdict::kProven;
  judged.loss = LossReport{.metric = "sqnr", .value = 1e-3, .lower = 9e-4, .upper = 2e-3, .budget = 1e-2};
  judged.fp32_ms = 3;
  judged.int8_ms = 2;
  judged.fp32_bytes = refused.fp32_bytes = 400;
  judged.int8_bytes = 100;
  judged.layers.push_back({.name = "a", .op = "Conv", .int8 = true});
  refused.method = "binary";
  refused.verdict = Verdict::kRejected;
  refused.reason = "no";
  const std::string page = MethodsAsMarkdown({refused, judged});
  EXPECT_THAT(page, HasSubstr("| proven | 30.0 dB | 30.5 dB to 27.0 dB | 20.0 dB | 3.000 | 2.000 | 1.50 | 100 | 4.00 | "
                              "1 of 1 |"));
  EXPECT_THAT(page, HasSubstr("| rejected | - | - | - | - | - | - | - | - | 0 of 0 |"));
  EXPECT_THAT(MethodsAsText({refused, judged}), HasSubstr("signal to noise"));
  const auto json = nlohmann::json::parse(MethodsAsJson({refused, judged}));
  EXPECT_EQ(json["methods"][0]["verdict"], "rejected");
  EXPECT_EQ(json["methods"][1]["layers"]["int8"], 1);
}

}  // namespace
}  // namespace tandem::engine
