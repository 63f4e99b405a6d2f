#include "server/admin/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/model_maker.h"

namespace tandem::admin {
namespace {

using ::testing::HasSubstr;

constexpr char kSecret[] = "0123456789abcdef";

TEST(Token, AdmitsWhoShowsIt) {
  const engine::TemporaryFolder folder;
  const auto token = Token::Read(folder.Write("token", "  0123456789abcdef\n"));
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_TRUE(token->Check("Bearer 0123456789abcdef").ok());
  for (const char* wrong : {"", "Bearer", "Bearer ", "0123456789abcdef", "bearer 0123456789abcdef",
                            "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer 0123456789abcdeg"}) {
    const absl::Status status = token->Check(wrong);
    EXPECT_TRUE(absl::IsUnauthenticated(status)) << wrong;
    EXPECT_EQ(std::string(status.message()).find(kSecret), std::string::npos);
  }
}

TEST(Token, AdmitsEverybodyWhereThereIsNone) {
  EXPECT_TRUE(Token().Check("").ok());
  EXPECT_TRUE(Token().Check("Bearer something").ok());
}

TEST(Token, IsReadFromAFileThatCanHoldASecret) {
  const engine::TemporaryFolder folder;
  const auto problem = [&](const std::string& text) {
    return std::string(Token::Read(folder.Write("token", text)).status().message());
  };
  EXPECT_THAT(problem("\n"), HasSubstr("token: a token has 16 characters at least, this one 0"));
  EXPECT_THAT(problem("short"), HasSubstr("this one 5"));
  EXPECT_THAT(problem("two words that are long"), HasSubstr("printable ASCII"));
  EXPECT_FALSE(Token::Read((folder.path() / "missing").string()).ok());
}

}  // namespace
}  // namespace tandem::admin
