#include "server/routing/candidate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/engine/model_maker.h"

namespace tandem::routing {
namespace {

using models::State;
using ::testing::HasSubstr;

class FindCandidateTest : public ::testing::Test {
 protected:
  // y = Relu(x) of `columns` columns, with a route between versions whose candidate is 8.
  void Publish(int64_t number, int64_t columns = 4) {
    for (State state : {State::kFound, State::kLoading, State::kWarming}) registry_.Enter("m", number, state);
    engine::ModelMaker maker;
    maker.Input("x", {-1, columns}).Output("y");
    maker.Node("Relu", {"x"}, {"y"});
    auto variant = std::make_shared<models::Variant>();
    variant->model = *maker.Load();
    auto version = std::make_shared<models::Version>();
    version->model_name = "m";
    version->number = number;
    version->route = {.mode = "shadow", .candidate_version = 8};
    version->fp32 = std::move(variant);
    registry_.Publish(std::move(version));
  }
  // Of the version that answers requests that name none.
  std::string WhyNot() {
    const absl::Status status = FindCandidate(registry_, **registry_.Find("m", "")).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status));
    return std::string(status.message());
  }

  models::Registry registry_;
};

TEST_F(FindCandidateTest, IsThePublishedVersionThatTheRouteNames) {
  Publish(7);
  Publish(8);
  EXPECT_EQ((*FindCandidate(registry_, **registry_.Find("m", "")))->number, 8);
}

TEST_F(FindCandidateTest, SaysWhatBecameOfIt) {
  Publish(7);
  EXPECT_EQ(WhyNot(), "version 8 is not there");
  registry_.Enter("m", 8, State::kFound);
  registry_.Enter("m", 8, State::kLoading);
  EXPECT_EQ(WhyNot(), "version 8 is loading");
  registry_.Enter("m", 8, State::kFailed, "no such operator");
  EXPECT_EQ(WhyNot(), "version 8 is failed: no such operator");
}

TEST_F(FindCandidateTest, IsNoneWithoutAnotherVersion) {
  Publish(8);
  EXPECT_THAT(WhyNot(), HasSubstr("no other version serves"));
}

TEST_F(FindCandidateTest, NamesWhatDiffers) {
  Publish(7);
  Publish(8, 5);
  EXPECT_THAT(WhyNot(), HasSubstr("version 8 cannot be compared with version 7: input 0 is \"x\" float32[?,5], that of "
                                  "version 7 is \"x\" float32[?,4]"));
}

}  // namespace
}  // namespace tandem::routing
