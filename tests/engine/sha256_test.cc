#include "engine/sha256.h"

#include <gtest/gtest.h>

#include "tests/engine/model_maker.h"

namespace tandem::engine {
namespace {

// The examples of FIPS 180-4 and of NIST's test vectors.
TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(Sha256Of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
  const std::string text(1000, 'x');
  Sha256 pieces;
  for (size_t at = 0, size = 1; at < text.size(); at += size, size = size * 2 + 1) {
    pieces.Add(absl::string_view(text).substr(at, size));
  }
  EXPECT_EQ(pieces.Finish(), Sha256Of(text));
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const TemporaryFolder folder;
  EXPECT_EQ(*Sha256OfFile(folder.Write("f", std::string(3 << 20, 'y'))), Sha256Of(std::string(3 << 20, 'y')));
  const absl::Status status = Sha256OfFile((folder.path() / "nowhere").string()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tandem::engine
