#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(Relu, KeepsThePositive) {
  OpTester op("Relu");
  op.Input<float>({3}, {-1, 0, 2});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 0, 2));
}

TEST(Relu, RefusesBool) {
  OpTester op("Relu");
  op.Input<bool>({1}, {true});
  EXPECT_EQ(op.Error().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace tandem::engine
