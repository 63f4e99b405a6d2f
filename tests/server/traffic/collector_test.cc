#include "server/traffic/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "engine/npz/npz.h"
#include "tests/engine/model_maker.h"

namespace tandem::traffic {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CollectorTest : public ::testing::Test {
 protected:
  Traffic Align(bool wanted = true) { return collector_.Align("m", {"x"}, config_, wanted); }

  static void Send(const Traffic& traffic, int requests, float value = 1) {
    for (int i = 0; i < requests; ++i) {
      traffic.collection->Offer(8, Now(), [&] {
        Inputs inputs;
        inputs.emplace_back(engine::DataType::kFloat32, engine::Shape{1, 2});
        inputs[0].mutable_values<float>()[0] = value;
        inputs[0].mutable_values<float>()[1] = static_cast<float>(i);
        return inputs;
      });
    }
  }
  fs::path Stored() const { return folder_.path() / "traffic/m/inputs.npz"; }

  engine::TemporaryFolder folder_;
  config::TrafficSamplesConfig config_{.enabled = true, .count = 4, .of_requests = 20};
  std::vector<std::string> warnings_;
  Collector collector_{{.state_dir = folder_.path().string(),
                        .on_warning = [this](const std::string& text) { warnings_.push_back(text); }}};
};

TEST_F(CollectorTest, WritesSamplesOnceEnoughRequestsHavePassed) {
  const Traffic begun = Align();
  ASSERT_NE(begun.collection, nullptr);
  EXPECT_EQ(begun.note, "samples are collected from traffic: 0 % of 20 requests seen");
  Send(begun, 19);
  const Traffic half = Align();
  EXPECT_EQ(half.collection, begun.collection);
  EXPECT_THAT(half.note, HasSubstr("90 %"));
  EXPECT_FALSE(fs::exists(Stored())) << "in memory only until then";
  Send(begun, 1);
  const Traffic done = Align();
  EXPECT_EQ(done.file, Stored().string());
  EXPECT_EQ(done.collection, nullptr);
  const auto arrays = engine::ReadNpz(done.file);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  std::vector<std::string> names;
  for (const auto& [name, array] : *arrays) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("x.0", "x.1", "x.2", "x.3"));
  EXPECT_EQ(Align().file, done.file) << "and nothing more is collected";
}

TEST_F(CollectorTest, WithoutTheOptInNothingIsKept) {
  config_.enabled = false;
  EXPECT_EQ(Align().collection, nullptr);
  EXPECT_FALSE(fs::exists(Stored()));
}

TEST_F(CollectorTest, SwitchingItOffRemovesWhatWasStored) {
  Send(Align(), 20);
  ASSERT_FALSE(Align().file.empty());
  config_.enabled = false;
  EXPECT_TRUE(Align().file.empty());
  EXPECT_FALSE(fs::exists(Stored().parent_path()));
}

TEST_F(CollectorTest, WhatHasNoUseIsRemoved) {
  Send(Align(), 20);
  Align();
  Align(/*wanted=*/false);
  EXPECT_FALSE(fs::exists(Stored()));
  Send(Align(), 20);
  Align();
  collector_.KeepOnly({"m", "other"});
  EXPECT_TRUE(fs::exists(Stored()));
  collector_.KeepOnly({"other"});
  EXPECT_FALSE(fs::exists(Stored()));
}

TEST_F(CollectorTest, WhatIsTooOldIsRemovedAndCollectedAnew) {
  Send(Align(), 20);
  Align();
  fs::last_write_time(Stored(), fs::file_time_type::clock::now() - std::chrono::hours(24 * 8));
  const Traffic anew = Align();
  EXPECT_FALSE(fs::exists(Stored()));
  EXPECT_NE(anew.collection, nullptr);
}

TEST_F(CollectorTest, WhatIsTooOldGoesWhileTheModelDoesNotServe) {
  Send(Align(), 20);
  Align();
  collector_.DropOld("m", config_);
  EXPECT_TRUE(fs::exists(Stored()));
  fs::last_write_time(Stored(), fs::file_time_type::clock::now() - std::chrono::hours(24 * 8));
  collector_.DropOld("m", config_);
  EXPECT_FALSE(fs::exists(Stored()));
}

TEST_F(CollectorTest, RequestsWithNumbersThatAreNotFiniteAreNotKept) {
  Send(Align(), 20, std::numeric_limits<float>::infinity());
  const Traffic anew = Align();
  EXPECT_TRUE(anew.file.empty());
  EXPECT_NE(anew.collection, nullptr);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("no request was fit for it")));
}

TEST_F(CollectorTest, OtherLimitsBeginAnew) {
  const Traffic begun = Align();
  Send(begun, 10);
  config_.count = 5;
  const Traffic anew = Align();
  EXPECT_NE(anew.collection, begun.collection);
  EXPECT_EQ(anew.collection->Size().seen, 0);
}

TEST(Collector, WithoutAStateFolderNothingIsCollected) {
  Collector collector({});
  const config::TrafficSamplesConfig config{.enabled = true};
  EXPECT_EQ(collector.Align("m", {"x"}, config, true).collection, nullptr);
}

}  // namespace
}  // namespace tandem::traffic
