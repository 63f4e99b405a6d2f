#include "engine/quantize/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> NamesIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ArtifactTest, HoldsExactlyWhatIsWritten) {
  const TemporaryFolder folder;
  const auto target = folder.path() / "made/on/the/way";
  ASSERT_TRUE(WriteFolder(target, {{"a", "1"}, {"b", "2"}}).ok());
  ASSERT_TRUE(WriteFolder(target.string() + "/", {{"b", "3"}}).ok());
  EXPECT_THAT(NamesIn(target), ElementsAre("b"));
  EXPECT_EQ(Contents(target / "b"), "3");
  EXPECT_THAT(NamesIn(target.parent_path()), ElementsAre("way"));
}

TEST(ArtifactTest, FoldersInsideAreReplacedWithIt) {
  const TemporaryFolder folder;
  const auto target = folder.path() / "out";
  ASSERT_TRUE(WriteFolder(target, {{"a", "1"}, {"x/a", "2"}, {"y/a", "3"}}).ok());
  EXPECT_EQ(Contents(target / "x/a"), "2");
  ASSERT_TRUE(WriteFolder(target, {{"a", "1"}, {"y/a", "4"}}).ok());
  EXPECT_THAT(NamesIn(target), ElementsAre("a", "y"));
  EXPECT_EQ(Contents(target / "y/a"), "4");
  EXPECT_THAT(NamesIn(folder.path()), ElementsAre("out"));
}

TEST(ArtifactTest, WhatAKilledWriterLeftIsRemoved) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / ".out.abc123");
  ASSERT_TRUE(WriteFolder(folder.path() / "out", {{"a", "1"}}).ok());
  EXPECT_THAT(NamesIn(folder.path()), ElementsAre("out"));
}

TEST(ArtifactTest, AFileInTheWayIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("out", "something of the user's");
  EXPECT_THAT(std::string(WriteFolder(path, {{"a", "1"}}).message()), HasSubstr(path));
  EXPECT_EQ(Contents(path), "something of the user's");
}

// A limit on the size of files stands for a full disk.
TEST(ArtifactTest, AFullDiskLeavesTheOldFolderAndNoRest) {
  const TemporaryFolder folder;
  const auto target = folder.path() / "out";
  ASSERT_TRUE(WriteFolder(target, {{"a", "old"}}).ok());
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small = {1 << 12, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteFolder(target, {{"a", std::string(1 << 16, 'x')}});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, previous);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot be written"));
  EXPECT_EQ(Contents(target / "a"), "old");
  EXPECT_THAT(NamesIn(folder.path()), ElementsAre("out"));
}

}  // namespace
}  // namespace tandem::engine
