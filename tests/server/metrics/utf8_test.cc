#include "server/metrics/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem::metrics {
namespace {

TEST(EscapeInvalidUtf8Test, LeavesWellFormedTextAlone) {
  for (const std::string text :
       {"", "plain\n\x7f", "\u00e9 \u20ac \U0001F600", "\xED\x9F\xBF \xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(EscapeInvalidUtf8(text), text);
  }
  EXPECT_EQ(EscapeInvalidUtf8(std::string("a\0b", 3)), std::string("a\0b", 3));
}

TEST(EscapeInvalidUtf8Test, WritesOtherBytesOut) {
  EXPECT_EQ(EscapeInvalidUtf8("a\xFF\xFEz"), R"(a\\xff\\xfez)");
  EXPECT_EQ(EscapeInvalidUtf8("\x80"), R"(\\x80)");                             // no lead
  EXPECT_EQ(EscapeInvalidUtf8("\xC0\xAF"), R"(\\xc0\\xaf)");                    // longer than needed
  EXPECT_EQ(EscapeInvalidUtf8("\xE0\x9F\xBF"), R"(\\xe0\\x9f\\xbf)");           // the same in three
  EXPECT_EQ(EscapeInvalidUtf8("\xED\xA0\x80"), R"(\\xed\\xa0\\x80)");           // a surrogate
  EXPECT_EQ(EscapeInvalidUtf8("\xF4\x90\x80\x80"), R"(\\xf4\\x90\\x80\\x80)");  // above U+10FFFF
}

TEST(EscapeInvalidUtf8Test, GoesOnAfterASequenceThatIsCutOff) {
  EXPECT_EQ(EscapeInvalidUtf8("\xE2\x82\"x\xC3\xA9"), "\\\\xe2\\\\x82\"x\xC3\xA9");
  EXPECT_EQ(EscapeInvalidUtf8("\xF0\x9F\x98"), R"(\\xf0\\x9f\\x98)");
}

}  // namespace
}  // namespace tandem::metrics
