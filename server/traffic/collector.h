// Collector: samples of live requests under the state directory, for models that ask for them
// (quantization.samples_from_traffic) and have none beside them.
//
// While samples are collected they are in memory only; once enough requests have passed they are written, in one file,
// and nothing more is collected until that is too old. Belongs to the loader's thread; the collections it hands out are
// filled by others.
#ifndef TANDEM_SERVER_TRAFFIC_COLLECTOR_H_
#define TANDEM_SERVER_TRAFFIC_COLLECTOR_H_

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/model_config.h"
#include "server/traffic/collection.h"

namespace tandem::traffic {

// What there is for a model.
struct Traffic {
  std::string file;                        // inputs.npz; empty: not enough yet
  std::string stamp;                       // changes with the file
  std::string note;                        // how far collecting is; empty when nothing is collected
  std::shared_ptr<Collection> collection;  // requests leave samples here; null when nothing is collected
};

struct CollectorOptions {
  std::string state_dir;  // empty: nothing can be collected
  // For the log.
  std::function<void(const std::string&)> on_warning;
};

class Collector {
 public:
  explicit Collector(CollectorOptions options);

  // Brings what is collected of `model`, whose inputs are called `inputs`, in line with its configuration: begins,
  // writes what is enough, removes what is too old. `wanted`: whether there is a use for it; if not, what is there is
  // removed.
  Traffic Align(const std::string& model, const std::vector<std::string>& inputs,
                const config::TrafficSamplesConfig& config, bool wanted);
  // Removes what was stored of `model` if it is too old, while the model does not serve.
  void DropOld(const std::string& model, const config::TrafficSamplesConfig& config);
  // Removes what was collected of models that are not among these.
  void KeepOnly(const std::set<std::string>& models);

 private:
  struct Collecting {
    config::TrafficSamplesConfig config;
    std::shared_ptr<Collection> collection;
  };

  std::filesystem::path FolderOf(const std::string& model) const { return folder_ / model; }
  void Remove(const std::string& model);
  std::shared_ptr<Collection> CollectionOf(const std::string& model, const config::TrafficSamplesConfig& config);
  // False when nothing could be used or written, which is told.
  bool Write(const std::string& model, const std::vector<std::string>& inputs, Collection& collection) const;

  const CollectorOptions options_;
  const std::filesystem::path folder_;
  std::map<std::string, Collecting> collecting_;
};

}  // namespace tandem::traffic

#endif  // TANDEM_SERVER_TRAFFIC_COLLECTOR_H_
