// Settings: a table of named keys that fill a plain struct, from a YAML file or one value at a time from flags.
//
// One table serves both, so that a key means the same wherever it is written. Nested YAML maps have dotted keys
// (`route.mode`). Errors name the key, the file and the line, and for an unknown key the nearest one that exists.
#ifndef TANDEM_CONFIG_SETTINGS_H_
#define TANDEM_CONFIG_SETTINGS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "config/values.h"

namespace tandem::config {

enum class Arity { kOne, kMany, kSwitch };  // one value, a list, or true/false (as a flag: present or not)

template <typename Config>
struct Setting {
  std::string key;
  Arity arity = Arity::kOne;
  std::string value_name;  // for help: "HOST:PORT"
  std::string help;
  // Sets (one value) or appends (a list) to the struct.
  std::function<absl::Status(Config&, absl::string_view)> set;
  // Lists only: drops what was there, before the first value of a new source.
  std::function<void(Config&)> clear;
};

// One leaf of a YAML file.
struct Entry {
  std::string key;
  std::vector<std::string> values;
  bool is_list = false;
  int line = 0;
};

// The leaves of `text`, a YAML map. `file` is for messages. Duplicate keys and other YAML than maps, lists of scalars
// and scalars are errors.
absl::StatusOr<std::vector<Entry>> ParseEntries(const std::string& text, const std::string& file);
// The whole of a file; errors name it.
absl::StatusOr<std::string> ReadFile(const std::string& path);

template <typename Config>
absl::Status ApplyEntry(const std::vector<Setting<Config>>& settings, const Entry& entry, Config& config) {
  std::vector<std::string> known;
  for (const Setting<Config>& setting : settings) {
    known.push_back(setting.key);
    if (setting.key != entry.key) continue;
    if (entry.is_list && setting.arity != Arity::kMany) {
      return absl::InvalidArgumentError(absl::StrCat(entry.key, ": expected one value, not a list"));
    }
    if (setting.clear) setting.clear(config);
    for (const std::string& value : entry.values) {
      if (absl::Status status = setting.set(config, value); !status.ok()) {
        return absl::Status(status.code(), absl::StrCat(entry.key, ": ", status.message()));
      }
    }
    return absl::OkStatus();
  }
  const std::string nearest = Nearest(entry.key, known);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown key ", entry.key, nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?")));
}

// Fills `config` from YAML text. Keys that are absent leave it as it was.
template <typename Config>
absl::Status ApplyYaml(const std::vector<Setting<Config>>& settings, const std::string& text, const std::string& file,
                       Config& config) {
  auto entries = ParseEntries(text, file);
  if (!entries.ok()) return entries.status();
  for (const Entry& entry : *entries) {
    if (absl::Status status = ApplyEntry(settings, entry, config); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(file, ":", entry.line, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

// Makes a setter from a parser and the member it fills.
template <typename Config, typename Member, typename Parser>
std::function<absl::Status(Config&, absl::string_view)> Sets(Member Config::*member, Parser parse) {
  return [member, parse](Config& config, absl::string_view text) {
    auto value = parse(text);
    if (!value.ok()) return value.status();
    config.*member = *std::move(value);
    return absl::OkStatus();
  };
}

}  // namespace tandem::config

#endif  // TANDEM_CONFIG_SETTINGS_H_
