#include "server/shared_memory/regions.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tandem::shared_memory {
namespace {

using ::testing::HasSubstr;

// An object of a client's: `text`, under a name of this process's own.
class Object {
 public:
  explicit Object(const std::string& text) {
    file_ = shm_open(key_.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
    EXPECT_GE(file_, 0);
    EXPECT_EQ(write(file_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  ~Object() {
    close(file_);
    shm_unlink(key_.c_str());
  }

  const std::string& key() const { return key_; }
  void Truncate(off_t size) { ASSERT_EQ(ftruncate(file_, size), 0); }
  std::string Text() const {
    std::string text(100, '\0');
    text.resize(static_cast<size_t>(pread(file_, text.data(), text.size(), 0)));
    return text;
  }

 private:
  static std::string NextKey() {
    static int next = 0;
    return absl::StrCat("/tandem-test-", getpid(), "-", next++);
  }

  const std::string key_ = NextKey();
  int file_ = -1;
};

absl::Status OpenStatus(const std::string& key, uint64_t offset, uint64_t byte_size) {
  return Region::Open({.name = "r", .key = key, .offset = offset, .byte_size = byte_size}).status();
}

TEST(Region, ReadsAndWritesItsPartOfTheObject) {
  Object object("0123456789");
  const auto region = Region::Open({.name = "r", .key = object.key(), .offset = 2, .byte_size = 6});
  ASSERT_TRUE(region.ok()) << region.status();
  std::string text(3, ' ');
  ASSERT_TRUE((*region)->Read(1, 3, text.data()).ok());
  EXPECT_EQ(text, "345");
  ASSERT_TRUE((*region)->Write(4, 2, "xy").ok());
  EXPECT_EQ(object.Text(), "012345xy89");
}

TEST(Region, TakesKeysWithAndWithoutASlash) {
  Object object("0123");
  EXPECT_TRUE(OpenStatus(object.key(), 0, 4).ok());
  EXPECT_TRUE(OpenStatus(object.key().substr(1), 0, 4).ok());
}

TEST(Region, RefusesKeysThatLeadElsewhere) {
  for (const std::string& key :
       {std::string(), std::string("/"), std::string("."), std::string("/.."), std::string("/../etc/passwd"),
        std::string("a/b"), std::string("//a"), std::string("/a\0b", 4), std::string(256, 'k')}) {
    EXPECT_EQ(OpenStatus(key, 0, 1).code(), absl::StatusCode::kInvalidArgument) << key;
  }
  EXPECT_EQ(OpenStatus("/tandem-test-nobody-made-this", 0, 1).code(), absl::StatusCode::kNotFound);
}

TEST(Region, RefusesWhatTheObjectDoesNotHave) {
  Object object("0123456789");
  EXPECT_TRUE(OpenStatus(object.key(), 0, 10).ok());
  EXPECT_TRUE(OpenStatus(object.key(), 9, 1).ok());
  for (const auto& [offset, byte_size] : std::initializer_list<std::pair<uint64_t, uint64_t>>{
           {0, 0}, {0, 11}, {10, 1}, {9, 2}, {11, 0}, {1, UINT64_MAX}, {UINT64_MAX, 1}, {UINT64_MAX, UINT64_MAX}}) {
    EXPECT_EQ(OpenStatus(object.key(), offset, byte_size).code(), absl::StatusCode::kInvalidArgument)
        << offset << " " << byte_size;
  }
}

TEST(Region, ChecksRangesWithoutOverflow) {
  Object object("0123456789");
  const auto region = *Region::Open({.name = "r", .key = object.key(), .offset = 2, .byte_size = 6});
  EXPECT_TRUE(region->CheckRange(0, 6).ok());
  EXPECT_TRUE(region->CheckRange(6, 0).ok());
  for (const auto& [offset, size] : std::initializer_list<std::pair<uint64_t, uint64_t>>{
           {0, 7}, {6, 1}, {7, 0}, {1, UINT64_MAX}, {UINT64_MAX, 2}, {UINT64_MAX, UINT64_MAX}}) {
    EXPECT_EQ(region->CheckRange(offset, size).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(Region, SurvivesATruncatedObject) {
  Object object("0123456789");
  const auto region = *Region::Open({.name = "r", .key = object.key(), .offset = 0, .byte_size = 10});
  object.Truncate(4);
  std::string text(10, ' ');
  const absl::Status read = region->Read(0, 10, text.data());
  EXPECT_EQ(read.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(read.message()), HasSubstr("smaller now"));
  EXPECT_EQ(region->Write(0, 10, text.data()).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(object.Text(), "0123");
}

class RegionsTest : public ::testing::Test {
 protected:
  absl::Status Register(const std::string& name) {
    return regions_.Register({.name = name, .key = object_.key(), .offset = 0, .byte_size = 4});
  }

  Object object_{"0123"};
  Regions regions_{RegionsOptions{.max_regions = 2}};
};

TEST_F(RegionsTest, FindsWhatIsRegistered) {
  ASSERT_TRUE(Register("a").ok());
  EXPECT_EQ((*regions_.Find("a"))->spec().key, object_.key());
  EXPECT_EQ(regions_.Find("b").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(regions_.List("")->size(), 1u);
  EXPECT_EQ(regions_.List("a")->front().byte_size, 4u);
  EXPECT_EQ(regions_.List("b").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RegionsTest, RefusesNamesTakenNoNamesAndTooMany) {
  ASSERT_TRUE(Register("a").ok());
  EXPECT_EQ(Register("a").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Register("").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(Register("b").ok());
  EXPECT_EQ(Register("c").code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(RegionsTest, KeepsARegionForThoseWhoUseIt) {
  ASSERT_TRUE(Register("a").ok());
  const RegionHandle used = *regions_.Find("a");
  regions_.Unregister("a");
  EXPECT_FALSE(regions_.Find("a").ok());
  char text[4];
  EXPECT_TRUE(used->Read(0, 4, text).ok());
  EXPECT_TRUE(Register("a").ok());
}

TEST_F(RegionsTest, TakesOutAllAtOnceAndWhatIsNotThere) {
  ASSERT_TRUE(Register("a").ok());
  ASSERT_TRUE(Register("b").ok());
  regions_.Unregister("nobody");
  EXPECT_EQ(regions_.List("")->size(), 2u);
  regions_.Unregister("");
  EXPECT_TRUE(regions_.List("")->empty());
}

}  // namespace
}  // namespace tandem::shared_memory
