#include "tests/engine/ops/op_tester.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Knows the single 2 and the pairs (5,6) and (7,8).
OpTester Vectorizer(int64_t max_skip) {
  OpTester op("TfIdfVectorizer");
  op.attributes.Set("mode", std::string("TF"));
  op.attributes.Set("min_gram_length", int64_t{1});
  op.attributes.Set("max_gram_length", int64_t{2});
  op.attributes.Set("max_skip_count", max_skip);
  op.attributes.Set("ngram_counts", std::vector<int64_t>{0, 1});
  op.attributes.Set("ngram_indexes", std::vector<int64_t>{2, 0, 1});
  op.attributes.Set("pool_int64s", std::vector<int64_t>{2, 5, 6, 7, 8});
  op.Input<int64_t>({6}, {2, 5, 7, 6, 8, 2});
  return op;
}

TEST(TfIdfVectorizer, CountsNgramsWithUpToTheGivenSkips) {
  EXPECT_THAT(Vectorizer(0).Run<float>(), ElementsAre(0, 0, 2));
  EXPECT_THAT(Vectorizer(1).Run<float>(), ElementsAre(1, 1, 2));
  EXPECT_THAT(Vectorizer(std::numeric_limits<int64_t>::max()).Run<float>(), ElementsAre(1, 1, 2));
}

TEST(TfIdfVectorizer, WeighsEachNgramOnceInIdfMode) {
  OpTester op = Vectorizer(0);
  op.attributes.Set("mode", std::string("IDF"));
  op.attributes.Set("weights", std::vector<float>{0.5f, 1, 1});
  EXPECT_THAT(op.Run<float>(), ElementsAre(0, 0, 0.5f));
}

TEST(TfIdfVectorizer, RefusesAPoolThatIsCutWrongly) {
  OpTester op = Vectorizer(0);
  op.attributes.Set("ngram_counts", std::vector<int64_t>{0, 9});
  EXPECT_THAT(op.Error().message(), HasSubstr("ngram_counts"));
}

}  // namespace
}  // namespace tandem::engine
