// The attributes of a node: a small map from name to a typed value. Read by many threads, written only while importing.
#ifndef TANDEM_ENGINE_ATTRIBUTES_H_
#define TANDEM_ENGINE_ATTRIBUTES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/tensor.h"

namespace tandem::engine {

class Graph;

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, std::shared_ptr<const Graph>>;

// The getters that take `fallback` return it when the attribute is absent or of another type (the importer has checked
// the types of the attributes that operators know).
class Attributes {
 public:
  void Set(absl::string_view name, Attribute value) { map_.insert_or_assign(std::string(name), std::move(value)); }
  void Erase(absl::string_view name) {
    if (auto it = map_.find(name); it != map_.end()) map_.erase(it);
  }
  bool Has(absl::string_view name) const { return map_.find(name) != map_.end(); }

  // The value when present and of type T, else null.
  template <typename T>
  const T* Find(absl::string_view name) const {
    auto it = map_.find(name);
    return it == map_.end() ? nullptr : std::get_if<T>(&it->second);
  }
  int64_t Int(absl::string_view name, int64_t fallback) const { return Get<int64_t>(name, fallback); }
  float Float(absl::string_view name, float fallback) const { return Get<float>(name, fallback); }
  std::string String(absl::string_view name, absl::string_view fallback) const {
    return Get<std::string>(name, std::string(fallback));
  }
  // Empty when absent.
  std::vector<int64_t> Ints(absl::string_view name) const { return Get<std::vector<int64_t>>(name, {}); }
  std::vector<float> Floats(absl::string_view name) const { return Get<std::vector<float>>(name, {}); }
  std::vector<std::string> Strings(absl::string_view name) const { return Get<std::vector<std::string>>(name, {}); }
  // Null when absent.
  std::shared_ptr<const Graph> Subgraph(absl::string_view name) const {
    return Get<std::shared_ptr<const Graph>>(name, nullptr);
  }

  const std::map<std::string, Attribute, std::less<>>& map() const { return map_; }

 private:
  template <typename T>
  T Get(absl::string_view name, T fallback) const {
    const T* value = Find<T>(name);
    return value != nullptr ? *value : fallback;
  }

  std::map<std::string, Attribute, std::less<>> map_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_ATTRIBUTES_H_
