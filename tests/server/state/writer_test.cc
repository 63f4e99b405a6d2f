#include "server/state/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::state {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(Writer, HasWrittenWhatWasPostedWhenItIsFlushed) {
  const auto store = StateStore::InMemory("a test");
  Writer writer(*store, nullptr);
  for (int i = 0; i < 100; ++i) {
    writer.Post({.blobs = {{"k", absl::StrCat(i)}}, .events = {{.kind = absl::StrCat(i)}}});
  }
  ASSERT_TRUE(writer.Flush().ok());
  EXPECT_EQ(*store->Blob("k"), "99");
  const auto events = *store->History({.limit = 1000});
  ASSERT_THAT(events, SizeIs(100));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(events[i].kind, absl::StrCat(99 - i));
  EXPECT_TRUE(writer.Flush().ok());
}

TEST(Writer, WritesWhatWaitsAtItsEnd) {
  const auto store = StateStore::InMemory("a test");
  { Writer(*store, nullptr).Post({.unloaded = {{"m", true}}}); }
  EXPECT_THAT(*store->Unloaded(), ElementsAre("m"));
}

TEST(Writer, TellsWhatWasLost) {
  const auto store = StateStore::InMemory("a test");
  std::vector<std::string> errors;
  Writer writer(*store, [&](const absl::Status& status) { errors.push_back(std::string(status.message())); });
  // SQLite takes this for nothing, which no route may be.
  writer.Post({.routes = {{"m", RouteOverride{.route = {.int8_weight = std::nan("")}}}}});
  EXPECT_FALSE(writer.Flush().ok());
  EXPECT_THAT(errors, SizeIs(1));
  writer.Post({.blobs = {{"k", "v"}}});
  EXPECT_TRUE(writer.Flush().ok());
}

TEST(Append, LetsTheLaterChangeWin) {
  Changes changes{.unloaded = {{"m", true}, {"n", true}}, .blobs = {{"a", "1"}}};
  Append({.unloaded = {{"m", false}}, .blobs = {{"a", std::nullopt}}}, changes);
  EXPECT_THAT(changes.unloaded, ElementsAre(Pair("m", false), Pair("n", true)));
  EXPECT_THAT(changes.blobs, ElementsAre(Pair("a", std::nullopt)));
}

}  // namespace
}  // namespace tandem::state
