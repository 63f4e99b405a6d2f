// What the state of one server is made of: what operators changed by hand, what was learned, and what happened.
#ifndef TANDEM_SERVER_STATE_RECORDS_H_
#define TANDEM_SERVER_STATE_RECORDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "config/model_config.h"

namespace tandem::state {

// Of a change: whose it was, what for, and when.
struct Author {
  std::string who;
  std::string why;
  absl::Time when;
};

// A route set by hand, which wins over that of the model's config.yaml.
struct RouteOverride {
  config::RouteConfig route;
  Author author;
};

// An entry of the history.
struct Event {
  int64_t id = 0;  // ascending; given by the store
  std::string model;
  int64_t version = 0;  // 0: the model as a whole
  std::string kind;     // "route", "published", ...
  Author author;
  std::string detail = "{}";  // a JSON object
};

struct EventFilter {
  std::string model;      // empty: of all
  std::string kind;       // empty: any
  int64_t before_id = 0;  // 0: from the newest on
  int64_t limit = 100;
};

// Changes that are kept together or not at all. Nothing instead of a value removes what there was.
struct Changes {
  std::map<std::string, std::optional<RouteOverride>> routes;  // by model
  std::map<std::string, std::set<int64_t>> rejected;           // by model: all versions that were rolled back from
  std::map<std::string, bool> unloaded;                        // by model: whether it was unloaded by hand
  std::map<std::string, std::optional<std::string>> blobs;     // by key
  std::vector<Event> events;                                   // appended in this order; their ids are ignored
};

}  // namespace tandem::state

#endif  // TANDEM_SERVER_STATE_RECORDS_H_
