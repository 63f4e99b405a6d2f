#include <complex>
#include <numbers>

#include "engine/ops/fft.h"
#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr double kNear = 1e-12;

TEST(Fft, IsTheDefinitionForEveryKindOfLength) {
  for (const int64_t length : {1, 2, 3, 8, 31, 33, 60, 97, 128}) {
    for (const bool inverse : {false, true}) {
      std::vector<Fft::Complex> x(length);
      for (int64_t i = 0; i < length; ++i) x[i] = Fft::Complex(std::sin(i * i), i % 5);
      std::vector<Fft::Complex> y = x;
      Fft(length, inverse).Transform(y);
      for (int64_t k = 0; k < length; ++k) {
        Fft::Complex expected = 0;
        for (int64_t n = 0; n < length; ++n) {
          expected += x[n] * std::polar(1.0, (inverse ? 2 : -2) * std::numbers::pi *
                                                 static_cast<double>(k * n % length) / length);
        }
        EXPECT_LT(std::abs(y[k] - expected), 1e-9) << length << " " << k;
      }
    }
  }
}

TEST(Dft, TransformsAlongTheAxis) {
  OpTester op("DFT");
  op.Input<double>({2, 1, 1}, {1, 2}).AbsentInput().Input<int64_t>({}, {0});
  EXPECT_THAT(op.Run<double>(), Pointwise(DoubleNear(kNear), {3.0, 0.0, -1.0, 0.0}));
}

TEST(Dft, OneSidedAndBack) {
  OpTester forward("DFT");
  forward.attributes.Set("onesided", int64_t{1});
  forward.Input<double>({1, 5, 1}, {1, 2, 3, 4, 7}).Input<int64_t>({}, {4});
  EXPECT_EQ(forward.RunShape(), (Shape{1, 3, 2}));
  const auto spectrum = forward.Run<double>();
  EXPECT_THAT(spectrum, Pointwise(DoubleNear(kNear), {10.0, 0.0, -2.0, 2.0, -2.0, 0.0}));
  OpTester back("DFT");
  back.attributes.Set("onesided", int64_t{1});
  back.attributes.Set("inverse", int64_t{1});
  back.known_contents = false;
  back.Input<double>({1, 3, 2}, spectrum);
  EXPECT_THAT(back.Run<double>(), Pointwise(DoubleNear(kNear), {1.0, 2.0, 3.0, 4.0}));
}

TEST(Dft, RefusesWrongAxesAndLengths) {
  const auto code = [](Shape shape, int64_t length, int64_t axis) {
    OpTester op("DFT");
    op.Input(Tensor(DataType::kFloat32, std::move(shape))).Input<int64_t>({}, {length}).Input<int64_t>({}, {axis});
    return op.Error().code();
  };
  EXPECT_EQ(code({1, 4, 1}, 4, 2), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 4, 1}, 4, 3), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 4, 1}, 0, 1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 4, 1}, int64_t{1} << 40, 1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 4, 3}, 4, 1), absl::StatusCode::kInvalidArgument);
}

TEST(Stft, TransformsWindowedFrames) {
  OpTester op("STFT");
  op.Input<double>({1, 5, 1}, {1, 2, 3, 4, 5}).Input<int64_t>({}, {2}).Input<double>({2}, {1, 0.5});
  EXPECT_EQ(op.RunShape(), (Shape{1, 2, 2, 2}));
  EXPECT_THAT(op.Run<double>(), Pointwise(DoubleNear(kNear), {2.0, 0.0, 0.0, 0.0, 5.0, 0.0, 1.0, 0.0}));
}

TEST(Stft, RefusesFramesThatDoNotFit) {
  OpTester longer("STFT");
  longer.Input<float>({1, 2, 1}, {1, 2}).Input<int64_t>({}, {1}).AbsentInput().Input<int64_t>({}, {3});
  EXPECT_EQ(longer.Error().code(), absl::StatusCode::kInvalidArgument);
  OpTester still("STFT");
  still.Input<float>({1, 2, 1}, {1, 2}).Input<int64_t>({}, {0}).AbsentInput().Input<int64_t>({}, {2});
  EXPECT_EQ(still.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Windows, HaveTheirShapes) {
  const auto run = [](const char* name, int64_t periodic) {
    OpTester op(name);
    op.attributes.Set("output_datatype", int64_t{11});
    op.attributes.Set("periodic", periodic);
    op.Input<int64_t>({}, {periodic == 1 ? 4 : 5});
    return op.Run<double>();
  };
  EXPECT_THAT(run("HannWindow", 1), Pointwise(DoubleNear(kNear), {0.0, 0.5, 1.0, 0.5}));
  EXPECT_THAT(run("HannWindow", 0), Pointwise(DoubleNear(kNear), {0.0, 0.5, 1.0, 0.5, 0.0}));
  const double base = 25.0 / 46.0;
  EXPECT_THAT(run("HammingWindow", 1), Pointwise(DoubleNear(kNear), {2 * base - 1, base, 1.0, base}));
  EXPECT_THAT(run("BlackmanWindow", 1), Pointwise(DoubleNear(kNear), {0.0, 0.34, 1.0, 0.34}));
}

TEST(Windows, AcceptSizesZeroAndOneButNoOthers) {
  OpTester one("HannWindow");
  one.attributes.Set("periodic", int64_t{0});
  one.Input<int32_t>({}, {1});
  EXPECT_THAT(one.Run<float>(), ElementsAre(0));
  OpTester none("HannWindow");
  none.Input<int32_t>({}, {0});
  EXPECT_EQ(none.RunShape(), Shape{0});
  OpTester negative("HannWindow");
  negative.Input<int32_t>({}, {-1});
  EXPECT_EQ(negative.Error().code(), absl::StatusCode::kInvalidArgument);
}

OpTester Mel(int64_t bins, int64_t dft_length, float low, float high) {
  OpTester op("MelWeightMatrix");
  op.Input<int64_t>({}, {bins}).Input<int64_t>({}, {dft_length}).Input<int64_t>({}, {8192});
  op.Input<float>({}, {low}).Input<float>({}, {high});
  return op;
}

TEST(MelWeightMatrix, PeaksAtOne) {
  OpTester op = Mel(8, 16, 0, 4096);
  EXPECT_EQ(op.RunShape(), (Shape{9, 8}));
  const auto weights = op.Run<float>();
  for (int bin = 0; bin < 8; ++bin) {
    float peak = 0;
    for (int row = 0; row < 9; ++row) peak = std::max(peak, weights[row * 8 + bin]);
    EXPECT_EQ(peak, 1) << bin;
  }
}

TEST(MelWeightMatrix, RefusesEdgesOutOfOrderOrBeyondTheSpectrum) {
  EXPECT_EQ(Mel(8, 16, 2000, 1000).Error().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Mel(8, 16, 0, 80000).Error().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Mel(8, 16, NAN, 80000).Error().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Mel(-1, 16, 0, 4096).Error().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tandem::engine
