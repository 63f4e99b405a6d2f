// TfIdfVectorizer: counts known n-grams of integers.
#include <algorithm>
#include <map>
#include <vector>

#include "engine/ops/dims.h"
#include "engine/ops/families.h"

namespace tandem::engine {

namespace {

// What TfIdfVectorizer's attributes say, checked.
struct Vectorizer {
  std::map<std::vector<int64_t>, size_t> ngrams;  // to their number in `column` and `weight`
  std::vector<int64_t> column;
  std::vector<float> weight;
  int64_t width = 0;  // columns of the output
  int64_t min_length = 1;
  int64_t max_length = 1;
  int64_t max_skip = 0;
  bool counts = true;  // whether an n-gram counts each time it is found, or once
};

// Fills `ngrams` from the pool, where the n-grams of each length follow those that are shorter by one.
absl::Status ReadPool(const Attributes& attributes, Vectorizer& vectorizer) {
  const std::vector<int64_t> pool = attributes.Ints("pool_int64s");
  const std::vector<int64_t> starts = attributes.Ints("ngram_counts");
  for (size_t length = 1; length <= starts.size(); ++length) {
    const int64_t begin = starts[length - 1];
    const int64_t end = length < starts.size() ? starts[length] : static_cast<int64_t>(pool.size());
    if (begin < 0 || begin > end || end > static_cast<int64_t>(pool.size()) ||
        (end - begin) % static_cast<int64_t>(length) != 0) {
      return OpError("ngram_counts do not cut a pool of ", pool.size(), " into n-grams at length ", length);
    }
    for (auto gram = pool.begin() + begin; gram != pool.begin() + end; gram += static_cast<int64_t>(length)) {
      vectorizer.ngrams.emplace(std::vector<int64_t>(gram, gram + static_cast<int64_t>(length)),
                                vectorizer.ngrams.size());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Vectorizer> VectorizerOf(const Attributes& attributes) {
  if (attributes.Has("pool_strings")) return absl::UnimplementedError("pool_strings are not supported");
  Vectorizer vectorizer;
  TANDEM_RETURN_IF_ERROR(ReadPool(attributes, vectorizer));
  vectorizer.column = attributes.Ints("ngram_indexes");
  if (vectorizer.column.size() != vectorizer.ngrams.size()) {
    return OpError(vectorizer.column.size(), " ngram_indexes for ", vectorizer.ngrams.size(), " distinct n-grams");
  }
  for (int64_t column : vectorizer.column) {
    if (column < 0 || column >= kMaxElements) return OpError("ngram_indexes ", column, " is out of range");
    vectorizer.width = std::max(vectorizer.width, column + 1);
  }
  const std::string mode = attributes.String("mode", "TF");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") return OpError("mode '", mode, "' is not supported");
  vectorizer.counts = mode != "IDF";
  vectorizer.weight.assign(vectorizer.column.size(), 1.0f);
  if (mode != "TF" && attributes.Has("weights")) vectorizer.weight = attributes.Floats("weights");
  if (vectorizer.weight.size() != vectorizer.column.size()) return OpError("weights do not match ngram_indexes");
  vectorizer.min_length = attributes.Int("min_gram_length", 1);
  vectorizer.max_length = attributes.Int("max_gram_length", 1);
  vectorizer.max_skip = attributes.Int("max_skip_count", 0);
  if (vectorizer.min_length < 1 || vectorizer.max_length < vectorizer.min_length || vectorizer.max_skip < 0) {
    return OpError("n-grams of ", vectorizer.min_length, " to ", vectorizer.max_length, " with ", vectorizer.max_skip,
                   " skips make no sense");
  }
  // No n-gram is longer than the longest of the pool.
  vectorizer.max_length = std::min(vectorizer.max_length, static_cast<int64_t>(attributes.Ints("ngram_counts").size()));
  return vectorizer;
}

absl::Status InferTfIdf(InferContext& ctx) {
  TANDEM_RETURN_IF_ERROR(KnownIntegers(ctx, 0).status());
  TANDEM_ASSIGN_OR_RETURN(const Vectorizer vectorizer, VectorizerOf(ctx.attributes()));
  ctx.SetOutput(0, DataType::kFloat32, std::nullopt);
  if (!ctx.has_shape(0)) return absl::OkStatus();
  const Shape& shape = ctx.shape(0);
  if (shape.empty() || shape.size() > 2) return OpError("expected rank 1 or 2, got shape ", ToString(shape));
  Shape output = shape;
  output.back() = vectorizer.width;
  return SetCheckedOutput(ctx, 0, DataType::kFloat32, std::move(output));
}

// Adds the n-grams of one row of tokens to its counts.
void CountRow(absl::Span<const int64_t> tokens, const Vectorizer& vectorizer, float* counts) {
  const int64_t count = static_cast<int64_t>(tokens.size());
  const int64_t max_length = std::min(vectorizer.max_length, count);
  std::vector<int64_t> gram;
  std::vector<bool> seen(vectorizer.column.size(), false);
  for (int64_t length = vectorizer.min_length; length <= max_length; ++length) {
    // Skips change nothing about single tokens.
    const int64_t max_step = length == 1 ? 1 : std::min(vectorizer.max_skip, count) + 1;
    for (int64_t step = 1; step <= max_step && (length - 1) * step < count; ++step) {
      for (int64_t begin = 0; begin + (length - 1) * step < count; ++begin) {
        gram.clear();
        for (int64_t i = 0; i < length; ++i) gram.push_back(tokens[begin + i * step]);
        const auto found = vectorizer.ngrams.find(gram);
        if (found == vectorizer.ngrams.end()) continue;
        const size_t number = found->second;
        if (vectorizer.counts || !seen[number]) counts[vectorizer.column[number]] += vectorizer.weight[number];
        seen[number] = true;
      }
    }
  }
}

absl::Status TfIdf(KernelContext& ctx) {
  TANDEM_ASSIGN_OR_RETURN(const Vectorizer vectorizer, VectorizerOf(ctx.attributes()));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<int64_t> tokens, IntegersOf(ctx.input(0)));
  const auto output = ctx.output(0).mutable_values<float>();
  std::fill(output.begin(), output.end(), 0.0f);
  const size_t length = ctx.input(0).dim(-1);
  if (length == 0) return absl::OkStatus();
  for (size_t row = 0; row < tokens.size() / length; ++row) {
    CountRow(absl::MakeSpan(tokens).subspan(row * length, length), vectorizer, output.data() + row * vectorizer.width);
  }
  return absl::OkStatus();
}

constexpr OpDef kOps[] = {
    {"TfIdfVectorizer", 1, 1, InferTfIdf, TfIdf},
};

}  // namespace

absl::Span<const OpDef> VectorizeOps() { return kOps; }

}  // namespace tandem::engine
