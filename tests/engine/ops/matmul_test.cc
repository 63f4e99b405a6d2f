#include <numeric>

#include "engine/ops/gemm.h"
#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(MatMul, MultipliesMatrices) {
  OpTester op("MatMul");
  op.Input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).Input<float>({3, 2}, {1, 0, 0, 1, 1, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(4, 5, 10, 11));
}

TEST(MatMul, TreatsVectorsAsNumPyDoes) {
  OpTester dot("MatMul");
  dot.Input<int32_t>({3}, {1, 2, 3}).Input<int32_t>({3}, {1, 1, 2});
  EXPECT_THAT(dot.Run<int32_t>(), ElementsAre(9));
  EXPECT_EQ(dot.RunShape(), Shape{});
  OpTester left("MatMul");
  left.Input<int64_t>({2}, {1, 10}).Input<int64_t>({2, 2, 1}, {1, 2, 3, 4});
  EXPECT_THAT(left.Run<int64_t>(), ElementsAre(21, 43));
  EXPECT_EQ(left.RunShape(), (Shape{2, 1}));
  OpTester right("MatMul");
  right.Input<double>({2, 2}, {1, 2, 3, 4}).Input<double>({2}, {1, 10});
  EXPECT_THAT(right.Run<double>(), ElementsAre(21, 43));
}

TEST(MatMul, BroadcastsBatches) {
  OpTester op("MatMul");
  op.Input<float>({2, 1, 1, 1}, {1, 10}).Input<float>({3, 1, 1}, {1, 2, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 3, 10, 20, 30));
  EXPECT_EQ(op.RunShape(), (Shape{2, 3, 1, 1}));
}

TEST(MatMul, OfNothingIsZero) {
  OpTester op("MatMul");
  op.Input<float>({2, 0}, {}).Input<float>({0, 1}, {});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 0));
}

TEST(MatMul, WrapsIntegers) {
  OpTester op("MatMul");
  op.Input<int32_t>({1}, {1 << 30}).Input<int32_t>({1}, {4});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(0));
}

TEST(MatMul, RefusesWhatDoesNotFit) {
  OpTester inner("MatMul");
  inner.Input<float>({2, 3}, std::vector<float>(6)).Input<float>({2, 3}, std::vector<float>(6));
  EXPECT_EQ(inner.Error().code(), absl::StatusCode::kInvalidArgument);
  OpTester scalar("MatMul");
  scalar.Input<float>({}, {1}).Input<float>({1}, {1});
  EXPECT_EQ(scalar.Error().code(), absl::StatusCode::kInvalidArgument);
  OpTester types("MatMul");
  types.Input<float>({1}, {1}).Input<double>({1}, {1});
  EXPECT_EQ(types.Error().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Gemm, ScalesTransposesAndBroadcasts) {
  OpTester op("Gemm");
  op.attributes.Set("transA", int64_t{1});
  op.attributes.Set("transB", int64_t{1});
  op.attributes.Set("alpha", 2.0f);
  op.attributes.Set("beta", 0.5f);
  op.Input<float>({2, 1}, {1, 2}).Input<float>({2, 2}, {1, 2, 3, 4}).Input<float>({2}, {10, 20});
  EXPECT_THAT(op.Run<float>(), ElementsAre(15, 32));  // 2 * {5, 11} + {5, 10}
}

TEST(Gemm, AddsAColumn) {
  OpTester op("Gemm");
  op.Input<int32_t>({2, 1}, {1, 2}).Input<int32_t>({1, 2}, {1, 1}).Input<int32_t>({2, 1}, {10, 20});
  EXPECT_THAT(op.Run<int32_t>(), ElementsAre(11, 11, 22, 22));
}

TEST(Gemm, RefusesABiasThatWouldGrowTheResult) {
  OpTester op("Gemm");
  op.Input<float>({1, 1}, {1}).Input<float>({1, 1}, {1}).Input<float>({2, 1}, {1, 1});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kInvalidArgument);
}

// Sizes around the edges of the register and cache blocks, against the definition.
TEST(MultiplyAdd, IsRightAtEveryBlockEdge) {
  for (const int64_t m : {1, 3, 4, 9}) {
    for (const int64_t n : {1, 15, 16, 33}) {
      for (const int64_t k : {1, 255, 257}) {
        std::vector<double> a(m * k), b(k * n), c(m * n, 1.0), packed(m * n, 1.0);
        std::iota(a.begin(), a.end(), 1.0);
        std::iota(b.begin(), b.end(), -7.0);
        MultiplyAdd<double>(m, n, k, {a.data(), k}, {b.data(), n}, c.data(), n);
        PackedMatrix<double>(k, n, {b.data(), n}).MultiplyAdd(m, {a.data(), k}, packed.data(), n);
        for (int64_t i = 0; i < m * n; ++i) {
          double expected = 1.0;
          for (int64_t l = 0; l < k; ++l) expected += a[i / n * k + l] * b[l * n + i % n];
          ASSERT_EQ(c[i], expected) << m << " " << n << " " << k;
          ASSERT_EQ(packed[i], expected) << m << " " << n << " " << k;
        }
      }
    }
  }
}

}  // namespace
}  // namespace tandem::engine
