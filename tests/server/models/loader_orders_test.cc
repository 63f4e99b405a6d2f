#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/models/loader.h"
#include "tests/engine/model_maker.h"

namespace tandem::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LoaderOrdersTest : public ::testing::Test {
 protected:
  LoaderOrdersTest() { Write("m/1"); }
  ~LoaderOrdersTest() override { loader_.Stop(); }

  void Write(const std::string& version) {
    engine::ModelMaker maker;
    maker.Input("x", {-1, 2}).Output("y");
    maker.Node("Relu", {"x"}, {"y"});
    Write(version, maker.Bytes());
  }
  void Write(const std::string& version, const std::string& bytes) {
    std::filesystem::create_directories(folder_.path() / version);
    folder_.Write(version + "/model.onnx", bytes);
  }
  void Start(std::set<std::string> unloaded = {}) {
    loader_.Start(std::move(unloaded));
    loader_.WaitForFirst();
  }
  std::string WhyNot(const std::string& model) { return std::string(registry_.Find(model, "").status().message()); }

  const engine::TemporaryFolder folder_;
  Registry registry_;
  absl::Status keeping_;
  std::vector<std::pair<std::string, bool>> kept_;
  Loader loader_{{.repositories = {folder_.path().string()},
                  .poll_interval = Duration(0),
                  .keep_unloaded =
                      [this](const std::string& model, bool unloaded) {
                        if (keeping_.ok()) kept_.push_back({model, unloaded});
                        return keeping_;
                      }},
                 registry_};
};

TEST_F(LoaderOrdersTest, UnloadRetractsAModelUntilItIsLoadedAgain) {
  Start();
  ASSERT_TRUE(loader_.Unload("m").ok());
  loader_.Sync();
  EXPECT_EQ(WhyNot("m"), "model \"m\" is unloaded: it was unloaded by request");
  EXPECT_TRUE(loader_.all_serving());
  ASSERT_TRUE(loader_.Load("m").ok());
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(1));
  EXPECT_THAT(kept_, ElementsAre(std::pair("m", true), std::pair("m", false)));
}

TEST_F(LoaderOrdersTest, WhatWasUnloadedBeforeStaysAway) {
  Start({"m"});
  EXPECT_EQ(WhyNot("m"), "model \"m\" is unloaded: it was unloaded by request");
  EXPECT_TRUE(loader_.Unload("m").ok());
  EXPECT_THAT(kept_, IsEmpty());
  EXPECT_TRUE(loader_.Load("m").ok());
}

TEST_F(LoaderOrdersTest, NothingChangesWhenItCannotBeKept) {
  Start();
  keeping_ = absl::UnavailableError("disk full");
  EXPECT_EQ(loader_.Unload("m"), keeping_);
  EXPECT_TRUE(registry_.Find("m", "").ok());
}

TEST_F(LoaderOrdersTest, LoadTakesWhatHasJustAppeared) {
  Start();
  Write("m/2");
  Write("n/1");
  EXPECT_TRUE(loader_.Load("m").ok());
  EXPECT_TRUE(loader_.Load("n").ok());
  EXPECT_EQ((*registry_.Find("m", ""))->number, 2);
  EXPECT_EQ((*registry_.Find("n", ""))->number, 1);
}

TEST_F(LoaderOrdersTest, OutcomesAreKeptAsConfigYamlSaysNow) {
  Start();
  EXPECT_EQ((*registry_.Find("m", ""))->outcomes.keep, 0);
  const models::VariantHandle before = (*registry_.Find("m", ""))->fp32;
  folder_.Write("m/config.yaml", "outcomes: {keep: 100}\n");
  loader_.Sync();
  EXPECT_EQ((*registry_.Find("m", ""))->outcomes.keep, 100);
  EXPECT_EQ((*registry_.Find("m", ""))->fp32, before) << "nothing is loaded again";
}

TEST_F(LoaderOrdersTest, ACandidateIsLoadedBesideTheNewestOtherVersion) {
  for (const char* version : {"m/2", "m/3"}) Write(version);
  folder_.Write("m/config.yaml", "route: {mode: shadow, candidate_version: 3}\n");
  Start();
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(2, 3));
  EXPECT_EQ((*registry_.Find("m", ""))->number, 2);
}

TEST_F(LoaderOrdersTest, AConfigYamlThatCannotBeReadPutsNoCandidateInCharge) {
  Write("m/2");
  folder_.Write("m/config.yaml", "route: {mode: shadow, candidate_version: 2}\n");
  Start();
  folder_.Write("m/config.yaml", "route: {mode: shadow, candidate\n");
  loader_.Sync();
  EXPECT_THAT(registry_.PublishedNumbers("m"), ElementsAre(1, 2));
  EXPECT_EQ((*registry_.Find("m", ""))->number, 1);
}

TEST_F(LoaderOrdersTest, ACandidateThatIsGivenByHandIsLoadedAtOnce) {
  Start();
  Write("m/2");
  EXPECT_TRUE(absl::IsFailedPrecondition(loader_.CheckCandidate("m", 2)));
  ASSERT_TRUE(loader_.Realign("m", 2).ok());
  EXPECT_EQ((*registry_.Find("m", ""))->number, 2) << "it has not to look the same twice";
  EXPECT_TRUE(loader_.CheckCandidate("m", 2).ok());
  EXPECT_TRUE(absl::IsNotFound(loader_.Realign("n", 2)));
}

TEST_F(LoaderOrdersTest, LoadTriesAgainWhatHasFailed) {
  Write("broken/1", "no model");
  Start();
  const absl::Status failed = loader_.Load("broken");
  EXPECT_TRUE(absl::IsUnavailable(failed));
  EXPECT_THAT(std::string(failed.message()), HasSubstr("model \"broken\" is failed: "));
  ASSERT_TRUE(loader_.Unload("broken").ok());
  EXPECT_EQ(WhyNot("broken"), "model \"broken\" is unloaded: it was unloaded by request");
  Write("broken/1");
  EXPECT_TRUE(loader_.Load("broken").ok());
}

TEST_F(LoaderOrdersTest, LoadWaitsForWhatIsStillInUse) {
  Start();
  VersionHandle in_flight = *registry_.Find("m", "");
  ASSERT_TRUE(loader_.Unload("m").ok());
  absl::Status loaded;
  std::thread load([&] { loaded = loader_.Load("m"); });
  loader_.Sync();
  EXPECT_EQ(registry_.Get("m", 1).state, State::kDraining);
  in_flight.reset();
  load.join();
  EXPECT_TRUE(loaded.ok());
  EXPECT_TRUE(registry_.Find("m", "").ok());
}

TEST_F(LoaderOrdersTest, NamesAModelThatThereIsNot) {
  Start();
  for (const absl::Status& status : {loader_.Load("k\n"), loader_.Unload("k\n")}) {
    EXPECT_TRUE(absl::IsNotFound(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("model \"k\\n\" is in no repository"));
  }
}

TEST_F(LoaderOrdersTest, IsRefusedWhenTheServerEnds) {
  Start();
  loader_.Stop();
  EXPECT_TRUE(absl::IsUnavailable(loader_.Unload("m")));
}

}  // namespace
}  // namespace tandem::models
