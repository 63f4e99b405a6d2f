#include <numeric>

#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::vector<T> Counting(int64_t count) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), T{0});
  return values;
}

TEST(Transpose, ReversesTheAxesByDefault) {
  OpTester op("Transpose");
  op.Input<float>({2, 3}, Counting<float>(6));
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
}

// Every permutation of four axes, for each element size, against the definition; large enough to cross blocks.
template <typename T>
void TransposeEveryWay() {
  const Shape shape = {2, 35, 3, 40};
  const std::vector<T> values = Counting<T>(NumElements(shape));
  std::vector<int64_t> perm = {0, 1, 2, 3};
  do {
    OpTester op("Transpose");
    op.attributes.Set("perm", perm);
    op.Input<T>(shape, values);
    const std::vector<T> result = op.Run<T>();
    const int64_t strides[] = {35 * 3 * 40, 3 * 40, 40, 1};
    size_t at = 0;
    for (int64_t a = 0; a < shape[perm[0]]; ++a)
      for (int64_t b = 0; b < shape[perm[1]]; ++b)
        for (int64_t c = 0; c < shape[perm[2]]; ++c)
          for (int64_t d = 0; d < shape[perm[3]]; ++d)
            ASSERT_EQ(
                result[at++],
                values[a * strides[perm[0]] + b * strides[perm[1]] + c * strides[perm[2]] + d * strides[perm[3]]]);
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(Transpose, PermutesAnyAxesOfAnyElementSize) {
  TransposeEveryWay<uint8_t>();
  TransposeEveryWay<int16_t>();
  TransposeEveryWay<float>();
  TransposeEveryWay<int64_t>();
}

TEST(Transpose, RefusesWhatIsNoPermutation) {
  OpTester op("Transpose");
  op.Input<float>({2, 3}, Counting<float>(6));
  op.attributes.Set("perm", std::vector<int64_t>{0, 0});
  EXPECT_THAT(op.Error().message(), HasSubstr("twice"));
  op.attributes.Set("perm", std::vector<int64_t>{0});
  EXPECT_THAT(op.Error().message(), HasSubstr("perm has 1"));
}

TEST(DepthToSpace, TakesBlocksFromChannelsInEitherOrder) {
  OpTester op("DepthToSpace");
  op.attributes.Set("blocksize", int64_t{2});
  op.Input<float>({1, 8, 1, 1}, Counting<float>(8));
  EXPECT_EQ(op.RunShape(), (Shape{1, 2, 2, 2}));
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 2, 4, 6, 1, 3, 5, 7));
  op.attributes.Set("mode", std::string("CRD"));
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(SpaceToDepth, UndoesDepthToSpace) {
  OpTester op("SpaceToDepth");
  op.attributes.Set("blocksize", int64_t{2});
  op.Input<float>({1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(SpaceToDepth, RefusesBlocksThatDoNotDivide) {
  OpTester op("SpaceToDepth");
  op.attributes.Set("blocksize", int64_t{2});
  op.Input<float>({1, 1, 3, 2}, Counting<float>(6));
  EXPECT_THAT(op.Error().message(), HasSubstr("3x2"));
}

TEST(Concat, JoinsOnTheAxis) {
  OpTester op("Concat");
  op.attributes.Set("axis", int64_t{-1});
  op.Input<float>({2, 1}, {1, 2}).Input<float>({2, 0}, {}).Input<float>({2, 2}, {3, 4, 5, 6});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 3, 4, 2, 5, 6));
}

TEST(Concat, RefusesOtherShapesAndTypes) {
  OpTester shapes("Concat");
  shapes.attributes.Set("axis", int64_t{0});
  shapes.Input<float>({1, 1}, {1}).Input<float>({1, 2}, {3, 4});
  EXPECT_THAT(shapes.Error().message(), HasSubstr("input 1"));
  OpTester types("Concat");
  types.Input<float>({1}, {1}).Input<int8_t>({1}, {1});
  EXPECT_THAT(types.Error().message(), HasSubstr("int8"));
}

TEST(Tile, RepeatsEveryAxis) {
  OpTester op("Tile");
  op.Input<int16_t>({2, 2}, {1, 2, 3, 4}).Input<int64_t>({2}, {2, 2});
  EXPECT_THAT(op.Run<int16_t>(), ElementsAre(1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4));
}

TEST(Tile, OfZeroRepeatsIsEmpty) {
  OpTester op("Tile");
  op.Input<float>({2}, {1, 2}).Input<int64_t>({1}, {0});
  EXPECT_EQ(op.RunShape(), (Shape{0}));
}

TEST(Trilu, KeepsOneSideOfTheDiagonal) {
  OpTester op("Trilu");
  op.Input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).Input<int64_t>({}, {1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 2, 3, 0, 0, 6));
  op.attributes.Set("upper", int64_t{0});
  EXPECT_THAT(op.Run<float>(), ElementsAre(1, 2, 0, 4, 5, 6));
}

TEST(ReverseSequence, ReversesOnlyWhatBelongsToTheSequence) {
  OpTester op("ReverseSequence");
  op.attributes.Set("time_axis", int64_t{1});
  op.attributes.Set("batch_axis", int64_t{0});
  op.Input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).Input<int64_t>({2}, {2, 3});
  EXPECT_THAT(op.Run<float>(), ElementsAre(2, 1, 3, 6, 5, 4));
}

TEST(ReverseSequence, RefusesLongerSequencesThanThereAre) {
  OpTester op("ReverseSequence");
  op.Input<float>({2, 1}, {1, 2}).Input<int64_t>({1}, {3});
  EXPECT_THAT(op.Error().message(), HasSubstr("length 3"));
}

}  // namespace
}  // namespace tandem::engine
