#include "server/app/logging.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

namespace tandem::app {
namespace {

// The message as a JSON string: spdlog's patterns do not escape.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const nlohmann::json text = std::string(message.payload.data(), message.payload.size());
    const std::string quoted = text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    out.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

// A logger to standard error of its own form.
std::shared_ptr<spdlog::logger> MakeLogger(const std::string& name, const std::string& pattern) {
  auto logger = spdlog::stderr_color_mt(name);
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonMessage>('*').set_pattern(pattern);
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::trace);
  return logger;
}

}  // namespace

void SetUpLogging(const std::string& format, const std::string& level) {
  const bool json = format == "json";
  const std::string text = "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v";
  const std::string start = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",)";
  // Lines about single requests bring their fields with them.
  MakeLogger("requests", json ? start + "%v}" : text);
  spdlog::set_default_logger(MakeLogger("tandemd", json ? start + R"("message":%*})" : text));
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace tandem::app
