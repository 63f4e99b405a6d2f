#include "server/rpc/request_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tandem::rpc {
namespace {

constexpr size_t kLongestValue = 200;  // of a text from a client

bool IsPlain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' || c == ':' ||
           c == '/';
  });
}

std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A line as it grows.
class Line {
 public:
  Line(bool json, const char* message)
      : json_(json), text_(json ? absl::StrCat("\"message\":\"", message, "\"") : message) {}

  void Text(const char* name, const std::string& value) {
    if (value.empty()) return;
    const std::string cut = value.substr(0, kLongestValue);
    Add(name, json_ || !IsPlain(cut) ? Quoted(cut) : cut);
  }
  void Number(const char* name, int64_t value) { Add(name, absl::StrCat(value)); }
  void Milliseconds(const char* name, Duration value) {
    Add(name, absl::StrFormat("%.3f", std::chrono::duration<double, std::milli>(value).count()));
  }
  const std::string& text() const { return text_; }

 private:
  void Add(const char* name, const std::string& value) {
    if (json_) {
      absl::StrAppend(&text_, ",\"", name, "\":", value);
    } else {
      absl::StrAppend(&text_, " ", name, "=", value);
    }
  }

  const bool json_;
  std::string text_;
};

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

int64_t RequestLog::Admit(Window& window, int64_t most, Time now) {
  if (now - window.begin >= std::chrono::seconds(1)) {
    window.begin = now;
    window.lines = 0;
  }
  if (window.lines >= most) {
    ++window.left_out;
    return -1;
  }
  ++window.lines;
  return std::exchange(window.left_out, 0);
}

void RequestLog::Write(const RequestEntry& entry, Time now) {
  const bool slow = IsSlow(entry.total);
  int64_t left_out = 0;
  {
    MutexLock lock(mutex_);
    left_out = slow ? Admit(slow_, options_.most_slow, now) : Admit(access_, options_.most_access, now);
  }
  if (left_out < 0) return;
  Line line(options_.json, slow ? "slow request" : "request");
  line.Text("model", entry.model);
  line.Text("version", entry.version);
  line.Text("variant", entry.variant);
  line.Text("id", entry.id);
  line.Text("trace_id", entry.trace_id);
  line.Text("code", absl::StatusCodeToString(entry.status.code()));
  line.Text("error", std::string(entry.status.message()));
  line.Number("rows", entry.rows);
  line.Number("bytes", entry.bytes);
  line.Milliseconds("total_ms", entry.total);
  line.Milliseconds("receive_ms", entry.receive);
  line.Milliseconds("queue_ms", entry.queue);
  line.Milliseconds("gather_ms", entry.gather);
  line.Milliseconds("compute_ms", entry.compute);
  line.Milliseconds("reply_ms", entry.reply);
  if (left_out > 0) line.Number("left_out", left_out);
  sink_(slow, line.text());
}

absl::string_view TraceIdOf(absl::string_view traceparent) {
  constexpr size_t kVersion = 2, kTraceId = 32, kParentId = 16, kFlags = 2;
  constexpr size_t kTraceAt = kVersion + 1, kParentAt = kTraceAt + kTraceId + 1, kFlagsAt = kParentAt + kParentId + 1;
  constexpr size_t kLength = kFlagsAt + kFlags;
  if (traceparent.size() < kLength) return "";
  const absl::string_view version = traceparent.substr(0, kVersion);
  // Later versions may append what we do not know.
  if (version == "ff" || (version == "00" && traceparent.size() != kLength)) return "";
  if (traceparent.size() > kLength && traceparent[kLength] != '-') return "";
  for (size_t dash : {kTraceAt - 1, kParentAt - 1, kFlagsAt - 1}) {
    if (traceparent[dash] != '-') return "";
  }
  const absl::string_view id = traceparent.substr(kTraceAt, kTraceId),
                          parent = traceparent.substr(kParentAt, kParentId);
  for (absl::string_view part : {version, id, parent, traceparent.substr(kFlagsAt, kFlags)}) {
    if (!IsLowerHex(part)) return "";
  }
  const auto is_zero = [](absl::string_view text) { return text.find_first_not_of('0') == absl::string_view::npos; };
  return is_zero(id) || is_zero(parent) ? "" : id;
}

RequestLog::Sink LogSink() {
  return [](bool slow, const std::string& line) {
    if (const std::shared_ptr<spdlog::logger> log = spdlog::get("requests"); log != nullptr) {
      log->log(slow ? spdlog::level::warn : spdlog::level::info, "{}", line);
    }
  };
}

}  // namespace tandem::rpc
