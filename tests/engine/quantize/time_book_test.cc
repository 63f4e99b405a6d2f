#include "engine/quantize/time_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;

TEST(TimeBookTest, MeasuresOnceAndKeepsItAsText) {
  TimeBook book;
  int measured = 0;
  const auto measure = [&]() -> absl::StatusOr<TimeBook::Times> {
    ++measured;
    return TimeBook::Times{1.25, 1.0 / 3};
  };
  EXPECT_THAT(*book.Get("a", 2, measure), ElementsAre(1.25, 1.0 / 3));
  EXPECT_THAT(*book.Get("a", 2, measure), ElementsAre(1.25, 1.0 / 3));
  EXPECT_EQ(measured, 1);
  EXPECT_TRUE(book.has_news());

  auto read = TimeBook::FromText(book.ToText());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(*read->Get("a", 2, measure), ElementsAre(1.25, 1.0 / 3));
  EXPECT_EQ(measured, 1);
  EXPECT_FALSE(read->has_news());
}

TEST(TimeBookTest, MeasuresAgainWhatIsOfAnotherSize) {
  auto book = TimeBook::FromText(R"({"a": [1, 2, 3]})");
  ASSERT_TRUE(book.ok());
  EXPECT_THAT(*book->Get("a", 1, [] { return TimeBook::Times{7}; }), ElementsAre(7));
}

TEST(TimeBookTest, KeepsNothingWhenMeasuringFails) {
  TimeBook book;
  const auto fail = []() -> absl::StatusOr<TimeBook::Times> { return absl::InternalError("no"); };
  EXPECT_EQ(book.Get("a", 1, fail).status().code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(book.has_news());
}

TEST(TimeBookTest, RefusesWhatIsNoBook) {
  for (const char* text : {"", "[]", "{", R"({"a": 1})", R"({"a": ["x"]})"}) {
    EXPECT_EQ(TimeBook::FromText(text).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

}  // namespace
}  // namespace tandem::engine
