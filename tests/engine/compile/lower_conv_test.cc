// Convolutions against reference kernels: whatever oneDNN takes computes what the operator means.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

struct ConvCase {
  Shape x;
  int64_t out;
  Shape kernel;
  int64_t groups = 1;
  IntList strides = {}, pads = {}, dilations = {};
  std::string auto_pad = "NOTSET";
};

Attributes AttributesOf(const ConvCase& c) {
  Attributes attributes = With("group", c.groups).And("auto_pad", c.auto_pad);
  if (!c.strides.empty()) attributes.Set("strides", c.strides);
  if (!c.pads.empty()) attributes.Set("pads", c.pads);
  if (!c.dilations.empty()) attributes.Set("dilations", c.dilations);
  return attributes;
}

Shape Joined(int64_t a, int64_t b, const Shape& spatial) {
  Shape shape = {a, b};
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  return shape;
}

const ConvCase kConvs[] = {
    {{1, 3, 8, 8}, 16, {3, 3}},
    {{2, 3, 9, 7}, 20, {3, 3}, 1, {2, 2}, {1, 1, 1, 1}},
    {{1, 20, 6, 6}, 7, {1, 1}},
    {{1, 33, 5, 5}, 17, {3, 3}, 1, {}, {0, 1, 2, 1}},
    {{1, 32, 8, 8}, 32, {3, 3}, 32, {}, {1, 1, 1, 1}},
    {{1, 19, 8, 8}, 19, {5, 5}, 19, {2, 2}, {2, 2, 2, 2}},
    {{1, 6, 7, 7}, 18, {3, 3}, 6},
    {{1, 8, 9, 9}, 12, {3, 3}, 4, {}, {}, {2, 2}},
    {{1, 4, 11, 9}, 5, {3, 2}, 1, {}, {2, 1, 2, 1}, {2, 3}},
    {{1, 3, 8, 8}, 4, {3, 3}, 1, {2, 2}, {}, {}, "SAME_UPPER"},
    {{1, 3, 7, 8}, 4, {2, 3}, 1, {2, 2}, {}, {}, "SAME_LOWER"},
    {{2, 5, 21}, 6, {4}, 1, {3}, {1, 2}},
    {{1, 40, 20}, 40, {3}, 40, {}, {1, 1}},
    {{1, 3, 5, 6, 4}, 17, {3, 2, 2}, 1, {1, 2, 1}, {1, 0, 1, 1, 1, 0}},
    {{1, 3, 8, 8}, 5, {3, 3}, 1, {3, 3}},  // leaves input at the end unread
};

std::string Text(const ConvCase& c) {
  return absl::StrCat(ToString(c.x), " to ", c.out, " by ", ToString(c.kernel), " in ", c.groups, " groups, strides ",
                      absl::StrJoin(c.strides, ","), ", pads ", absl::StrJoin(c.pads, ","), " ", c.auto_pad);
}

TEST(LowerConvTest, AgreesWithTheReference) {
  for (const ConvCase& c : kConvs) {
    SCOPED_TRACE(Text(c));
    for (bool with_bias : {false, true}) {
      GraphMaker maker;
      std::vector<ValueId> inputs = {maker.Input(c.x), maker.Weights(Joined(c.out, c.x[1] / c.groups, c.kernel))};
      if (with_bias) inputs.push_back(maker.Weights({c.out}));
      maker.Output(maker.Op("Conv", inputs, AttributesOf(c)));
      ExpectPlanAgrees(maker.graph);
    }
  }
}

TEST(LowerConvTest, TransposedAgreesWithTheReference) {
  for (const ConvCase& c : kConvs) {
    if (c.auto_pad != "NOTSET" || c.out % c.groups != 0) continue;
    SCOPED_TRACE(Text(c));
    GraphMaker maker;
    const ValueId w = maker.Weights(Joined(c.x[1], c.out / c.groups, c.kernel));
    maker.Output(maker.Op("ConvTranspose", {maker.Input(c.x), w, maker.Weights({c.out})}, AttributesOf(c)));
    ExpectPlanAgrees(maker.graph);
  }
  GraphMaker maker;
  maker.Output(
      maker.Op("ConvTranspose", {maker.Input({1, 4, 5, 5}), maker.Weights({4, 6, 3, 3})},
               With("strides", IntList{2, 2}).And("output_padding", IntList{1, 1}).And("pads", IntList{1, 1, 1, 1})));
  ExpectPlanAgrees(maker.graph);
}

TEST(LowerConvTest, WeightsThatArriveWithTheRequest) {
  GraphMaker maker;
  maker.Output(maker.Op("Conv", {maker.Input({1, 20, 6, 6}), maker.Input({18, 10, 3, 3})}, With("group", int64_t{2})));
  ExpectPlanAgrees(maker.graph);
}

}  // namespace
}  // namespace tandem::engine
