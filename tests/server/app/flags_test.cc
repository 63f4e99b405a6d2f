#include "server/app/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

namespace tandem::app {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlagsTest : public ::testing::Test {
 protected:
  FlagsTest() {
    folder_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::create_directories(folder_);
    model_ = Write("m.onnx", "");
  }
  ~FlagsTest() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  static std::variant<config::ServerConfig, Exit> Parse(std::vector<std::string> arguments) {
    std::vector<const char*> argv = {"tandemd"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return ParseFlags(static_cast<int>(argv.size()), argv.data());
  }
  static config::ServerConfig Config(const std::vector<std::string>& arguments) {
    auto parsed = Parse(arguments);
    EXPECT_TRUE(std::holds_alternative<config::ServerConfig>(parsed)) << std::get<Exit>(parsed).text;
    return std::get<config::ServerConfig>(parsed);
  }
  static std::string Error(const std::vector<std::string>& arguments) {
    auto parsed = Parse(arguments);
    EXPECT_TRUE(std::holds_alternative<Exit>(parsed));
    EXPECT_EQ(std::get<Exit>(parsed).code, 2);
    return std::get<Exit>(parsed).text;
  }

  fs::path folder_;
  std::string model_;
};

TEST_F(FlagsTest, TakesFilesAndOptionsInAnyOrder) {
  const auto config = Config({"--workers", "3", model_, "--strict-readiness", "--grpc-address=127.0.0.1:0",
                              "--model-repository", folder_.string(), "--model-repository", folder_.string()});
  EXPECT_THAT(config.models, ElementsAre(model_));
  EXPECT_EQ(config.model_repositories.size(), 2u);
  EXPECT_EQ(config.workers, 3);
  EXPECT_TRUE(config.strict_readiness);
  EXPECT_EQ(config.grpc_address, "127.0.0.1:0");
}

TEST_F(FlagsTest, WinOverTheFile) {
  const std::string file = Write("tandem.yaml", "workers: 5\nmax_message_size: 8MB\nmodels: [/nowhere.onnx]\n");
  const auto config = Config({"--config", file, "--workers", "2", model_});
  EXPECT_EQ(config.workers, 2);
  EXPECT_EQ(config.max_message_size, 8 << 20);
  EXPECT_THAT(config.models, ElementsAre(model_));
}

TEST_F(FlagsTest, NameTheNearestOption) {
  EXPECT_THAT(Error({model_, "--grpc-adress", "x"}),
              HasSubstr("unknown option --grpc-adress; did you mean --grpc-address?"));
  const std::string file = Write("tandem.yaml", "\nworker: 5\n");
  EXPECT_THAT(Error({model_, "--config", file}), HasSubstr("tandem.yaml:2: unknown key worker; did you mean workers?"));
}

TEST_F(FlagsTest, NameWrongValues) {
  EXPECT_THAT(Error({model_, "--workers", "many"}), HasSubstr("--workers: expected a whole number"));
  EXPECT_THAT(Error({model_, "--grpc-address", "8001"}), HasSubstr("--grpc-address: expected an address"));
  EXPECT_THAT(Error({model_, "--log-format", "xml"}), HasSubstr("one of text, json"));
}

TEST_F(FlagsTest, WantSomethingToServe) {
  EXPECT_THAT(Error({}), HasSubstr("nothing to serve"));
  EXPECT_THAT(Error({"/nowhere.onnx"}), HasSubstr("/nowhere.onnx: no such file"));
  EXPECT_THAT(Error({model_, model_}), HasSubstr("is served as model m already"));
}

TEST_F(FlagsTest, KeepTheAdminPortFromOtherHostsUnlessItIsGuarded) {
  for (const char* address : {"0.0.0.0:8003", "[::]:8003", "10.0.0.1:0", "admin.example:8003", "127.0.0.1.example:1"}) {
    EXPECT_THAT(Error({model_, "--admin-address", address}), HasSubstr("--admin-token-file")) << address;
    Config({model_, "--admin-address", address, "--admin-token-file", "token"});
  }
  for (const char* address : {"127.0.0.1:0", "127.9.9.9:8003", "localhost:8003", "[::1]:8003"}) {
    EXPECT_EQ(Config({model_, "--admin-address", address}).admin_address, address);
  }
}

TEST_F(FlagsTest, WantFilesForTlsThatGoTogether) {
  EXPECT_THAT(Error({model_, "--tls-cert", "c"}), HasSubstr("--tls-cert and --tls-key go together"));
  EXPECT_THAT(Error({model_, "--admin-tls-key", "k"}), HasSubstr("--admin-tls-cert and --admin-tls-key go together"));
  EXPECT_THAT(Error({model_, "--tls-client-ca", "ca"}), HasSubstr("--tls-client-ca needs --tls-cert"));
  EXPECT_EQ(Config({model_, "--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "ca"}).tls_client_ca, "ca");
}

TEST_F(FlagsTest, HelpNamesEveryOption) {
  const auto parsed = Parse({"--help"});
  const Exit& exit = std::get<Exit>(parsed);
  EXPECT_EQ(exit.code, 0);
  for (const auto& setting : config::ServerSettings()) {
    std::string name = setting.key == "models" ? "MODEL.onnx" : "--" + setting.key;
    std::replace(name.begin(), name.end(), '_', '-');
    EXPECT_THAT(exit.text, HasSubstr(name));
  }
}

}  // namespace
}  // namespace tandem::app
