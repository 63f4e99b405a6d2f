#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Gather, PicksRowsAndColumns) {
  OpTester rows("Gather");
  rows.Input<float>({3, 2}, {1, 2, 3, 4, 5, 6}).Input<int32_t>({2}, {-1, 0});
  EXPECT_THAT(rows.Run<float>(), ElementsAre(5, 6, 1, 2));
  OpTester columns("Gather");
  columns.attributes.Set("axis", int64_t{1});
  columns.Input<int64_t>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({1, 1}, {1});
  EXPECT_EQ(columns.RunShape(), (Shape{2, 1, 1}));
  EXPECT_THAT(columns.Run<int64_t>(), ElementsAre(2, 4));
}

TEST(Gather, WithAScalarIndexDropsTheAxis) {
  OpTester op("Gather");
  op.Input<float>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({}, {1});
  EXPECT_EQ(op.RunShape(), (Shape{2}));
}

TEST(Gather, NamesAnIndexOutOfRange) {
  OpTester op("Gather");
  op.Input<float>({2}, {1, 2}).Input<int64_t>({1}, {2});
  EXPECT_THAT(op.Error().message(), HasSubstr("index 2 is outside [-2,2)"));
  OpTester type("Gather");
  type.Input<float>({2}, {1, 2}).Input<float>({1}, {0});
  EXPECT_THAT(type.Error().message(), HasSubstr("float32"));
}

TEST(GatherElements, TakesAnIndexPerElement) {
  OpTester op("GatherElements");
  op.attributes.Set("axis", int64_t{1});
  op.Input<float>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({2, 3}, {0, 0, 1, -1, 0, 0});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 1, 2, 4, 3, 3));
  op.attributes.Set("axis", int64_t{0});
  EXPECT_THAT(op.Error().message(), HasSubstr("do not fit"));
}

TEST(GatherND, TakesTuplesPerBatch) {
  OpTester op("GatherND");
  op.Input<float>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({2, 2}, {0, 0, 1, -1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 4));
  OpTester batched("GatherND");
  batched.attributes.Set("batch_dims", int64_t{1});
  batched.Input<float>({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7}).Input<int64_t>({2, 1}, {1, 0});
  EXPECT_THAT(batched.Run<float>(), ElementsAre(2, 3, 4, 5));
}

TEST(GatherND, RefusesLongTuplesAndFarIndices) {
  OpTester tuples("GatherND");
  tuples.Input<float>({2}, {1, 2}).Input<int64_t>({1, 2}, {0, 0});
  EXPECT_THAT(tuples.Error().message(), HasSubstr("length 2"));
  OpTester far("GatherND");
  far.Input<float>({2}, {1, 2}).Input<int64_t>({1, 1}, {-3});
  EXPECT_THAT(far.Error().message(), HasSubstr("index -3"));
}

}  // namespace
}  // namespace tandem::engine
