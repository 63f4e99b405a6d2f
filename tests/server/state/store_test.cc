#include "server/state/store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/engine/model_maker.h"

namespace tandem::state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Pair;
using ::testing::SizeIs;

const Author kAnn{.who = "ann", .why = "a trial", .when = absl::FromUnixMillis(1'700'000'000'123)};

Event Happened(const std::string& model, const std::string& kind) {
  return {.model = model, .version = 2, .kind = kind, .author = kAnn, .detail = R"({"to":"int8"})"};
}

class StateStoreTest : public ::testing::Test {
 protected:
  StateStoreTest() { Reopen(); }

  void Reopen(StoreOptions options = {}) {
    store_.reset();
    auto store = StateStore::Open(path_, options);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  // What is wrong with the folder when it is opened.
  absl::Status Problem() { return StateStore::Open(path_).status(); }
  std::vector<std::string> Kinds(const EventFilter& filter) {
    std::vector<std::string> kinds;
    const auto events = store_->History(filter);
    for (const Event& event : *events) kinds.push_back(event.kind);
    return kinds;
  }

  const engine::TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "state").string();
  std::unique_ptr<StateStore> store_;
};

TEST_F(StateStoreTest, KeepsWhatWasWritten) {
  const std::string bytes("\0\xff'\"", 4);
  ASSERT_TRUE(store_
                  ->Write({.routes = {{"m", RouteOverride{{.mode = "split", .int8_weight = 0.25}, kAnn}}},
                           .rejected = {{"m", {7, 9}}},
                           .unloaded = {{"n", true}},
                           .blobs = {{"evidence/m/7", bytes}, {"other", ""}},
                           .events = {Happened("m", "route")}})
                  .ok());
  Reopen();
  const RouteOverride route = store_->Routes()->at("m");
  EXPECT_EQ(route.route, (config::RouteConfig{.mode = "split", .int8_weight = 0.25}));
  EXPECT_EQ(route.author.who, "ann");
  EXPECT_EQ(route.author.why, "a trial");
  EXPECT_EQ(route.author.when, kAnn.when);
  EXPECT_THAT(store_->Rejected()->at("m"), ElementsAre(7, 9));
  EXPECT_THAT(*store_->Unloaded(), ElementsAre("n"));
  EXPECT_EQ(*store_->Blob("evidence/m/7"), bytes);
  EXPECT_EQ(*store_->Blob("nothing"), std::nullopt);
  EXPECT_THAT(*store_->Blobs("evidence/"), ElementsAre(Pair("evidence/m/7", bytes)));
  EXPECT_THAT(*store_->Blobs(""), SizeIs(2));
  const Event event = store_->History({})->at(0);
  EXPECT_EQ(event.id, 1);
  EXPECT_EQ(event.model, "m");
  EXPECT_EQ(event.version, 2);
  EXPECT_EQ(event.detail, R"({"to":"int8"})");
  EXPECT_EQ(event.author.when, kAnn.when);
}

TEST_F(StateStoreTest, KeepsTheCandidateOfARoute) {
  const config::RouteConfig route{.mode = "split", .candidate_version = 8, .candidate_weight = 0.3};
  ASSERT_TRUE(store_->Write({.routes = {{"m", RouteOverride{route, kAnn}}}}).ok());
  Reopen();
  EXPECT_EQ(store_->Routes()->at("m").route, route);
}

TEST_F(StateStoreTest, TakesUpTheStateOfAnOlderServer) {
  ASSERT_TRUE(store_->Write({.routes = {{"m", RouteOverride{{.mode = "shadow"}, kAnn}}}}).ok());
  store_.reset();
  {
    SQLite::Database file(path_ + "/state.db", SQLite::OPEN_READWRITE);
    for (const char* column : {"candidate_version", "candidate_weight"}) {
      file.exec(absl::StrCat("ALTER TABLE route DROP COLUMN ", column));
    }
    file.exec("PRAGMA user_version = 1");
  }
  Reopen();
  EXPECT_EQ(store_->Routes()->at("m").route.mode, "shadow");
  EXPECT_FALSE(store_->Routes()->at("m").route.between_versions());
  EXPECT_EQ(store_->Routes()->at("m").author.who, "ann");
}

TEST_F(StateStoreTest, ReplacesAndRemoves) {
  ASSERT_TRUE(store_
                  ->Write({.routes = {{"m", RouteOverride{{.mode = "int8"}, kAnn}}},
                           .rejected = {{"m", {7, 9}}},
                           .unloaded = {{"n", true}},
                           .blobs = {{"k", "1"}}})
                  .ok());
  ASSERT_TRUE(store_->Write({.routes = {{"m", RouteOverride{{.mode = "fp32"}, kAnn}}}, .blobs = {{"k", "2"}}}).ok());
  EXPECT_EQ(store_->Routes()->at("m").route.mode, "fp32");
  EXPECT_EQ(*store_->Blob("k"), "2");
  ASSERT_TRUE(store_
                  ->Write({.routes = {{"m", std::nullopt}},
                           .rejected = {{"m", {}}},
                           .unloaded = {{"n", false}},
                           .blobs = {{"k", std::nullopt}}})
                  .ok());
  EXPECT_THAT(*store_->Routes(), IsEmpty());
  EXPECT_THAT(*store_->Rejected(), IsEmpty());
  EXPECT_THAT(*store_->Unloaded(), IsEmpty());
  EXPECT_THAT(*store_->Blobs(""), IsEmpty());
}

TEST_F(StateStoreTest, TellsTheHistoryNewestFirst) {
  ASSERT_TRUE(store_->Write({.events = {Happened("m", "a"), Happened("n", "b"), Happened("m", "c")}}).ok());
  EXPECT_THAT(Kinds({}), ElementsAre("c", "b", "a"));
  EXPECT_THAT(Kinds({.model = "m"}), ElementsAre("c", "a"));
  EXPECT_THAT(Kinds({.kind = "b"}), ElementsAre("b"));
  EXPECT_THAT(Kinds({.limit = 1}), ElementsAre("c"));
  EXPECT_THAT(Kinds({.before_id = 3, .limit = 1}), ElementsAre("b"));
  EXPECT_THAT(Kinds({.limit = -1}), IsEmpty());
}

TEST_F(StateStoreTest, ForgetsTheOldestEvents) {
  Reopen({.max_events = 3});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store_->Write({.events = {Happened("m", absl::StrCat(i))}}).ok());
  EXPECT_THAT(Kinds({}), ElementsAre("4", "3", "2"));
}

TEST_F(StateStoreTest, BelongsToOneServer) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Problem()));
  EXPECT_THAT(std::string(Problem().message()), HasSubstr("in use by another tandemd"));
}

TEST_F(StateStoreTest, LeavesTheStateOfANewerServerAlone) {
  store_.reset();
  SQLite::Database(path_ + "/state.db", SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 3");
  EXPECT_TRUE(absl::IsFailedPrecondition(Problem()));
  EXPECT_THAT(std::string(Problem().message()), HasSubstr("state.db: it has format 3, which a newer Tandem wrote"));
}

TEST_F(StateStoreTest, NamesAFileThatIsDamaged) {
  store_.reset();
  std::ofstream(path_ + "/state.db", std::ios::trunc) << std::string(4096, 'x');
  EXPECT_EQ(Problem().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(Problem().message()), HasSubstr(path_ + "/state.db"));
}

TEST_F(StateStoreTest, NamesAFolderThatCannotBeMade) {
  folder_.Write("file", "");
  const absl::Status status = StateStore::Open((folder_.path() / "file/state").string()).status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("file/state"));
  EXPECT_TRUE(absl::IsUnavailable(StateStore::Open("").status()));
}

TEST_F(StateStoreTest, WithoutAFolderItSaysSo) {
  EXPECT_TRUE(store_->Durable().ok());
  const auto memory = StateStore::InMemory("the folder is read-only");
  EXPECT_EQ(memory->Durable(), absl::FailedPreconditionError("this server keeps no state: the folder is read-only"));
  ASSERT_TRUE(memory->Write({.blobs = {{"k", "v"}}}).ok());
  EXPECT_EQ(*memory->Blob("k"), "v");
}

}  // namespace
}  // namespace tandem::state
