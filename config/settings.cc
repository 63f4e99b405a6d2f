#include "config/settings.h"

#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>
#include <sstream>

namespace tandem::config {
namespace {

class Flattener {
 public:
  explicit Flattener(const std::string& file) : file_(file) {}

  absl::Status Map(const YAML::Node& map, const std::string& prefix) {
    for (const auto& pair : map) {
      const int line = pair.first.Mark().line + 1;
      if (!pair.first.IsScalar()) return Error(line, "a key must be a word");
      const std::string key = prefix + pair.first.Scalar();
      if (!seen_.insert(key).second) return Error(line, absl::StrCat("the key ", key, " appears twice"));
      if (pair.second.IsMap()) {
        if (absl::Status status = Map(pair.second, key + "."); !status.ok()) return status;
        continue;
      }
      if (absl::Status status = Leaf(key, pair.second, line); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::vector<Entry> entries;

 private:
  absl::Status Leaf(const std::string& key, const YAML::Node& node, int line) {
    Entry entry{.key = key, .is_list = node.IsSequence(), .line = line};
    if (node.IsScalar()) entry.values.push_back(node.Scalar());
    if (node.IsNull()) return Error(line, absl::StrCat(key, " has no value"));
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) return Error(line, absl::StrCat(key, ": expected a list of plain values"));
      entry.values.push_back(item.Scalar());
    }
    entries.push_back(std::move(entry));
    return absl::OkStatus();
  }

  absl::Status Error(int line, const std::string& message) const {
    return absl::InvalidArgumentError(absl::StrCat(file_, ":", line, ": ", message));
  }

  const std::string& file_;
  std::set<std::string> seen_;
};

}  // namespace

absl::StatusOr<std::vector<Entry>> ParseEntries(const std::string& text, const std::string& file) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return std::vector<Entry>{};
    if (!root.IsMap()) return absl::InvalidArgumentError(absl::StrCat(file, ":1: expected a map of keys to values"));
    Flattener flattener(file);
    if (absl::Status status = flattener.Map(root, ""); !status.ok()) return status;
    return std::move(flattener.entries);
  } catch (const YAML::Exception& e) {
    return absl::InvalidArgumentError(absl::StrCat(file, ":", e.mark.line + 1, ": ", e.msg));
  }
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return std::move(text).str();
}

}  // namespace tandem::config
