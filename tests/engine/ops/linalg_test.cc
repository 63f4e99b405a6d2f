#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Det, TakesEveryMatrixOfTheBatch) {
  OpTester op("Det");
  op.Input<float>({3, 2, 2}, {1, 2, 3, 4, 0, 1, 1, 0, 1, 2, 2, 4});
  EXPECT_THAT(op.Run<float>(), ElementsAre(-2, -1, 0));
}

TEST(Det, OfAnEmptyMatrixIsOne) {
  EXPECT_THAT(OpTester("Det").Input<double>({1, 0, 0}, {}).Run<double>(), ElementsAre(1));
}

TEST(Det, RefusesWhatIsNotSquare) {
  OpTester op("Det");
  op.Input<float>({2, 3}, std::vector<float>(6));
  EXPECT_THAT(op.Error().message(), HasSubstr("[2,3]"));
}

}  // namespace
}  // namespace tandem::engine
