#include "clients/cli/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tandem::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

inference::ModelMetadataResponse Model(const std::string& datatype, const std::vector<int64_t>& shape) {
  inference::ModelMetadataResponse model;
  model.set_name("m");
  auto& input = *model.add_inputs();
  input.set_name("x");
  input.set_datatype(datatype);
  input.mutable_shape()->Assign(shape.begin(), shape.end());
  return model;
}

TEST(RandomRequest, FillsFreeDimensions) {
  const auto request = RandomRequest(Model("FP32", {-1, 3, -1}), {});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->model_name(), "m");
  EXPECT_THAT(request->inputs(0).shape(), ElementsAre(1, 3, 1));
  EXPECT_THAT(request->raw_input_contents(0), SizeIs(12));
}

TEST(RandomRequest, TakesTheShapeGiven) {
  Shapes shapes;
  ASSERT_TRUE(AddShape("x:2,3,5", shapes).ok());
  const auto request = RandomRequest(Model("INT64", {-1, 3, -1}), shapes);
  EXPECT_THAT(request->inputs(0).shape(), ElementsAre(2, 3, 5));
  EXPECT_THAT(request->raw_input_contents(0), SizeIs(240));
}

TEST(RandomRequest, NamesWhatItCannotMake) {
  const auto problem = [](const std::string& datatype, const Shapes& shapes) {
    return std::string(RandomRequest(Model(datatype, {-1}), shapes).status().message());
  };
  EXPECT_THAT(problem("BYTES", {}), HasSubstr("no random values are made for BYTES"));
  EXPECT_THAT(problem("FP32", {{"y", {1}}}), HasSubstr("has no input \"y\""));
  EXPECT_THAT(problem("FP32", {{"x", {1 << 20, 1 << 20}}}), HasSubstr("too large"));
}

TEST(AddShape, RefusesWhatIsNone) {
  Shapes shapes;
  for (const char* wrong : {"", "x", "x:", "x:0", "x:1,,2", "x:-1", "x:a"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(AddShape(wrong, shapes))) << wrong;
  }
}

TEST(LoadResult, HasQuantilesByNearestRank) {
  EXPECT_EQ(LoadResult{}.Quantile(0.5), 0);
  const LoadResult result{.seconds = {1, 2, 3, 4}};
  EXPECT_EQ(result.Quantile(0), 1);
  EXPECT_EQ(result.Quantile(0.5), 2);
  EXPECT_EQ(result.Quantile(0.51), 3);
  EXPECT_EQ(result.Quantile(0.99), 4);
  EXPECT_EQ(result.Quantile(1), 4);
}

}  // namespace
}  // namespace tandem::cli
