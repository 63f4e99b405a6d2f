#include "clients/cli/table.h"

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

Table Sample() {
  Table table({"MODEL", "STATE", "REASON"});
  table.Add({"mnist", "failed", "it was not to be had"});
  table.Add({"größe", "ok", ""});
  return table;
}

TEST(Table, IsAsWideAsItsContents) {
  EXPECT_EQ(Sample().ToText(0),
            "MODEL  STATE   REASON\n"
            "mnist  failed  it was not to be had\n"
            "größe  ok\n");
}

TEST(Table, ShortensTheWidestColumn) {
  EXPECT_EQ(Sample().ToText(30),
            "MODEL  STATE   REASON\n"
            "mnist  failed  it was not t...\n"
            "größe  ok\n");
}

TEST(Table, StaysReadableHoweverNarrowTheTerminal) {
  EXPECT_EQ(Sample().ToText(5),
            "MODEL  STATE   REASON\n"
            "mnist  failed  it wa...\n"
            "größe  ok\n");
}

TEST(Table, CutsBetweenCharacters) {
  Table table({"A"});
  table.Add({"ääääääääää"});
  EXPECT_EQ(table.ToText(9), "A\nääääää...\n");
}

TEST(Table, KeepsARowOnOneLine) {
  Table table({"A"});
  table.Add({"two\nlines\t\x1b"});
  EXPECT_EQ(table.ToText(0), "A\ntwo lines\n");
}

}  // namespace
}  // namespace tandem::cli
