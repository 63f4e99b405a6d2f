#include "clients/cli/replicas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace tandem::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A short form of 127.0.0.1 that every resolver knows, where "localhost" is in a file that not every machine has.
constexpr char kName[] = "127.1";

TEST(Replicas, AreAllAddressesOfAName) {
  const auto replicas = ReplicasOf(absl::StrCat(kName, ":8003"));
  ASSERT_TRUE(replicas.ok()) << replicas.status();
  EXPECT_THAT(*replicas, ElementsAre("127.0.0.1:8003"));
}

TEST(Replicas, AreSortedAndEachOnce) {
  const auto replicas = ReplicasOf("127.0.0.2:1,127.0.0.1:2,127.0.0.2:1,[::1]:3");
  ASSERT_TRUE(replicas.ok()) << replicas.status();
  EXPECT_THAT(*replicas, ElementsAre("127.0.0.1:2", "127.0.0.2:1", "[::1]:3"));
}

TEST(Replicas, NameWhatIsNoAddress) {
  for (const char* text : {"", "host", ":1", "host:", "127.0.0.1:1,"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReplicasOf(text).status())) << text;
  }
  EXPECT_TRUE(absl::IsNotFound(ReplicasOf("nowhere.invalid:1").status()));
}

TEST(RunOnAll, GivesEveryReplicaItsTurn) {
  std::vector<std::string> asked;
  const absl::Status status = RunOnAll({.address = "127.0.0.1:1,127.0.0.2:2,127.0.0.3:3"}, [&](Connection& connection) {
    asked.push_back(connection.options().address);
    return asked.size() == 2 ? absl::NotFoundError("no model \"m\"") : absl::OkStatus();
  });
  EXPECT_THAT(asked, ElementsAre("127.0.0.1:1", "127.0.0.2:2", "127.0.0.3:3"));
  EXPECT_THAT(status.message(), HasSubstr("1 of 3 replicas failed: 127.0.0.2:2: no model \"m\""));
}

TEST(RunOnAll, AsksForTheNameThatTheCertificateHas) {
  std::string name;
  ASSERT_TRUE(RunOnAll({.address = absl::StrCat(kName, ":1")}, [&](Connection& connection) {
                name = connection.options().server_name;
                return absl::OkStatus();
              }).ok());
  EXPECT_EQ(name, kName);
}

}  // namespace
}  // namespace tandem::cli
