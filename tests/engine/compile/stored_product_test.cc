// Convolutions and matrix products over integers against the same graphs computed by reference kernels: the same
// integers come out, up to one step of the result's quantization.
#include <gtest/gtest.h>

#include "engine/compile/conv_primitive.h"
#include "engine/compile/saturation.h"
#include "tests/engine/stored_graphs.h"

namespace tandem::engine {
namespace {

const ConvCase kConvs[] = {
    {{1, 3, 12, 12}, 16, {3, 3}, 1, {2, 2}, {1, 1, 1, 1}},
    {{2, 32, 9, 7}, 20, {1, 1}},
    {{1, 64, 7, 7}, 512, {3, 3}, 1, {1, 1}, {1, 1, 1, 1}},  // weights of this many channels differ by batch
    {{3, 24, 8, 8}, 24, {3, 3}, 24, {1, 1}, {1, 1, 1, 1}},
    {{1, 19, 8, 8}, 19, {5, 5}, 19, {2, 2}, {2, 2, 2, 2}},
    {{1, 32, 10, 10}, 64, {3, 3}, 4, {1, 1}, {1, 1, 1, 1}},
    {{1, 20, 11, 9}, 17, {3, 2}, 1, {1, 1}, {2, 1, 2, 1}, {2, 3}},
};

class StoredConvTest : public ::testing::TestWithParam<int> {};

TEST_P(StoredConvTest, AgreesWithTheReferenceForEveryWayToStore) {
  const ConvCase& c = kConvs[GetParam()];
  for (const Scheme& from : {kUnsigned, kPositive, kSigned}) {
    for (const Scheme& to : {Scheme{0.05f, 90}, Scheme{0.04f, 0}, Scheme{0.05f, -4, true}}) {
      for (bool with_bias : {false, true}) {
        GraphMaker maker;
        const ValueId x = Rounded(maker, maker.Input(c.x), from);
        maker.Output(Rounded(maker, maker.Op("Relu", {StoredConv(maker, x, c, with_bias)}), to));
        SCOPED_TRACE(testing::Message() << "from zero point " << from.zero_point << " to " << to.zero_point);
        ExpectWithin(maker.graph, to.scale);
        ExpectIntegers(maker.graph, "convolution");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, StoredConvTest, ::testing::Range(0, static_cast<int>(std::size(kConvs))));

TEST(IsBrokenKernelTest, KnowsThoseThatWereSeen) {
  EXPECT_TRUE(IsBrokenKernel("jit_1x1:avx512_core_amx", {2, 64, 3, 9}, {1, 1}));
  EXPECT_TRUE(IsBrokenKernel("jit_1x1:avx512_core_amx", {1, 480, 1, 45}, {1, 1}));
  EXPECT_FALSE(IsBrokenKernel("jit_1x1:avx512_core_amx", {1, 480, 7, 7}, {1, 1}));
  EXPECT_FALSE(IsBrokenKernel("brgconv_1x1:avx512_core_amx", {1, 480, 1, 45}, {1, 1}));
  EXPECT_TRUE(IsBrokenKernel("brg_conv_fwd:avx10_1_512_amx", {1, 64, 2, 1}, {2, 2}));
  EXPECT_FALSE(IsBrokenKernel("brg_conv_fwd:avx10_1_512_amx", {1, 64, 1, 1}, {2, 2}));
  EXPECT_FALSE(IsBrokenKernel("brg_conv_fwd:avx10_1_512_amx", {1, 64, 2, 1}, {1, 1}));
  EXPECT_FALSE(IsBrokenKernel("brg_conv_fwd:avx512_core_vnni", {1, 64, 2, 1}, {2, 2}));
}

// The sizes for which some kernel with tiles is wrong, and others that it would take.
TEST(StoredConvTest, SizesThatKernelsGetWrongAreRight) {
  std::vector<ConvCase> cases;
  for (int64_t pixels : {27, 33, 36, 39, 42, 45, 48, 49}) cases.push_back({{2, 64, 1, pixels}, 64, {1, 1}});
  for (int64_t width : {1, 2, 3}) {
    for (int64_t kernel : {3, 5}) {
      const int64_t pad = kernel / 2;
      cases.push_back({{2, 64, 12, width}, 64, {kernel, kernel}, 1, {2, 2}, {pad, pad, pad, pad}});
    }
  }
  for (const ConvCase& c : cases) {
    SCOPED_TRACE(testing::Message() << ToString(c.x) << " by " << ToString(c.kernel));
    GraphMaker maker;
    maker.Output(StoredConv(maker, Rounded(maker, maker.Input(c.x), kUnsigned), c));
    ExpectPlanAgrees(maker.graph, 1e-4);
    ExpectIntegers(maker.graph, "convolution");
  }
}

TEST(StoredConvTest, RealResultsAreExact) {
  for (const ConvCase& c : kConvs) {
    SCOPED_TRACE(testing::Message() << ToString(c.x) << " to " << c.out);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
    maker.Output(maker.Op("HardSwish", {StoredConv(maker, x, c)}));
    ExpectPlanAgrees(maker.graph, 1e-4);
    ExpectIntegers(maker.graph, "convolution");
  }
}

TEST(StoredConvTest, ActivationsAreApplied) {
  const ConvCase& c = kConvs[1];
  for (const char* op : {"Relu", "HardSwish", "Sigmoid", "LeakyRelu", "Tanh", "Elu"}) {
    SCOPED_TRACE(op);
    GraphMaker maker;
    const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
    maker.Output(Rounded(maker, maker.Op(op, {StoredConv(maker, x, c)}), {0.02f, 100}));
    ExpectWithin(maker.graph, 0.02f);
    ExpectIntegers(maker.graph, "convolution");
  }
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
  maker.Output(
      Rounded(maker, maker.Op("Clip", {StoredConv(maker, x, c), maker.Scalar(0), maker.Scalar(1.5f)}), {0.01f, 0}));
  ExpectWithin(maker.graph, 0.01f);
}

// x -> Conv -> Add(x) -> Relu, the sum of a residual block.
TEST(StoredConvTest, ResidualSumsAreTakenFromIntegers) {
  const ConvCase c{{2, 32, 8, 8}, 32, {3, 3}, 1, {1, 1}, {1, 1, 1, 1}};
  for (const Scheme& from : {kUnsigned, kPositive, kSigned}) {
    for (const char* between : {"", "Relu", "HardSwish"}) {
      SCOPED_TRACE(testing::Message() << between << " zero point " << from.zero_point);
      GraphMaker maker;
      const ValueId x = Rounded(maker, maker.Input(c.x), from);
      ValueId h = StoredConv(maker, x, c);
      if (*between != '\0') h = maker.Op(between, {h});
      maker.Output(Rounded(maker, maker.Op("Relu", {maker.Op("Add", {x, h})}), {0.05f, 2}));
      ExpectWithin(maker.graph, 0.05f);
      ExpectIntegers(maker.graph, "convolution");
      if (!PairsSaturate()) {  // in, convolution, channels first, out
        EXPECT_EQ(StepsOf(maker.graph).size(), 4u);
      }
    }
  }
}

// Quantizers of other projects round between the convolution and the sum as well.
TEST(StoredConvTest, RoundingBeforeASumIsAPostOpToo) {
  const ConvCase c{{1, 32, 8, 8}, 32, {1, 1}};
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input(c.x), kUnsigned);
  const ValueId h = Rounded(maker, StoredConv(maker, x, c), {0.03f, 20});  // cuts off what is far below zero
  maker.Output(Rounded(maker, maker.Op("Add", {h, x}), {0.05f, 128}));
  ExpectWithin(maker.graph, 0.05f);
  if (!PairsSaturate()) {
    EXPECT_EQ(StepsOf(maker.graph).size(), 4u);
  }
}

TEST(StoredConvTest, UnsignedWeightsAroundTheMiddleAreSignedOnes) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 16, 6, 6}), kUnsigned);
  Tensor stored(DataType::kUInt8, {8, 16, 1, 1});
  for (int64_t i = 0; i < 128; ++i) stored.mutable_values<uint8_t>()[i] = static_cast<uint8_t>(i * 37 % 251);
  const ValueId w = maker.Op(
      "DequantizeLinear", {maker.Constant(stored), maker.Scalar(0.01f), maker.Constant(Tensor::Scalar<uint8_t>(128))});
  maker.Output(Rounded(maker, maker.Op("Conv", {x, w}), {0.1f, 128}));
  ExpectWithin(maker.graph, 0.1f);
  ExpectIntegers(maker.graph, "convolution");
}

TEST(StoredConvTest, WeightsThatAreNotSymmetricAreMultipliedAsRealNumbers) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 16, 6, 6}), kUnsigned);
  Tensor stored(DataType::kUInt8, {8, 16, 1, 1});
  for (int64_t i = 0; i < 128; ++i) stored.mutable_values<uint8_t>()[i] = static_cast<uint8_t>(i * 37 % 251);
  const ValueId w = maker.Op(
      "DequantizeLinear", {maker.Constant(stored), maker.Scalar(0.01f), maker.Constant(Tensor::Scalar<uint8_t>(77))});
  maker.Output(Rounded(maker, maker.Op("Conv", {x, w}), {0.1f, 128}));
  ExpectWithin(maker.graph, 0.1f);
}

TEST(StoredConvTest, TransposedAgreesWithTheReference) {
  GraphMaker maker;
  const ValueId x = Rounded(maker, maker.Input({1, 16, 5, 5}), kPositive);
  const ValueId w = StoredWeights(maker, {16, 24, 2, 2}, 24, 1);
  const ValueId y = maker.Op("ConvTranspose", {x, w, maker.Weights({24})}, With("strides", IntList{2, 2}));
  maker.Output(Rounded(maker, maker.Op("Relu", {y}), {0.05f, 0}));
  ExpectWithin(maker.graph, 0.05f);
}

TEST(StoredMatMulTest, AgreesWithTheReference) {
  for (const Scheme& from : {kUnsigned, kPositive, kSigned}) {
    for (int64_t rows : {1, 3, 16}) {
      SCOPED_TRACE(testing::Message() << rows << " rows from zero point " << from.zero_point);
      GraphMaker gemm;
      ValueId x = Rounded(gemm, gemm.Input({rows, 64}), from);
      ValueId w = StoredWeights(gemm, {40, 64}, 40, 0);
      ValueId y = gemm.Op("Gemm", {x, w, gemm.Weights({40})}, With("transB", int64_t{1}));
      gemm.Output(Rounded(gemm, gemm.Op("Relu", {y}), {0.05f, 0}));
      ExpectWithin(gemm.graph, 0.05f);
      ExpectIntegers(gemm.graph, "matmul");

      GraphMaker matmul;
      x = Rounded(matmul, matmul.Input({2, rows, 48}), from);
      y = matmul.Op("MatMul", {x, StoredWeights(matmul, {48, 48}, 48, 1)});
      matmul.Output(Rounded(matmul, matmul.Op("Add", {y, x}), {0.05f, 120}));
      ExpectWithin(matmul.graph, 0.05f);
      ExpectIntegers(matmul.graph, "matmul");
    }
  }
}

}  // namespace
}  // namespace tandem::engine
