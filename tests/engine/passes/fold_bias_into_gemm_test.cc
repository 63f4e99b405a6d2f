#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/passes/rewrites.h"
#include "tests/engine/graph_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> After(const Shape& x, const Shape& weights, const Shape& bias, bool bias_first = false) {
  GraphMaker maker;
  const ValueId product = maker.Op("MatMul", {maker.Input(x), maker.Weights(weights)});
  const ValueId constant = maker.Weights(bias);
  maker.Output(
      maker.Op("Add", bias_first ? std::vector<ValueId>{constant, product} : std::vector<ValueId>{product, constant}));
  return OpsOf(Rewritten(maker.graph, FoldBiasIntoGemm));
}

TEST(FoldBiasIntoGemmTest, FoldsARowOnEitherSide) {
  EXPECT_THAT(After({3, 4}, {4, 5}, {5}), ElementsAre("Gemm"));
  EXPECT_THAT(After({3, 4}, {4, 5}, {1, 5}, true), ElementsAre("Gemm"));
}

TEST(FoldBiasIntoGemmTest, LeavesTheRestAlone) {
  EXPECT_THAT(After({2, 3, 4}, {4, 5}, {5}), ElementsAre("MatMul", "Add"));  // a batch
  EXPECT_THAT(After({3, 4}, {4, 5}, {3, 1}), ElementsAre("MatMul", "Add"));  // a column
  EXPECT_THAT(After({3, 4}, {4, 5}, {}), ElementsAre("MatMul", "Add"));
  EXPECT_THAT(After({3, 4}, {4, 5}, {1, 1, 5}), ElementsAre("MatMul", "Add"));  // a new axis
  EXPECT_THAT(After({3, 4}, {4, 1}, {5}), ElementsAre("MatMul", "Add"));        // stretches the product
  EXPECT_THAT(After({4}, {4, 5}, {5}), ElementsAre("MatMul", "Add"));           // a vector
}

TEST(FoldBiasIntoGemmTest, LeavesAProductAloneThatOthersRead) {
  GraphMaker maker;
  const ValueId product = maker.Op("MatMul", {maker.Input({3, 4}), maker.Weights({4, 5})});
  maker.Output(maker.Op("Add", {product, maker.Weights({5})}));
  maker.Output(product);
  EXPECT_THAT(OpsOf(Rewritten(maker.graph, FoldBiasIntoGemm)), ElementsAre("MatMul", "Add"));
}

}  // namespace
}  // namespace tandem::engine
