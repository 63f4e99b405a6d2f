// What a Model holds; seen by Model and Session only.
#ifndef TANDEM_ENGINE_MODEL_STATE_H_
#define TANDEM_ENGINE_MODEL_STATE_H_

#include <memory>
#include <vector>

#include "engine/compile/plan_cache.h"
#include "engine/model.h"

namespace tandem::engine {

struct Model::State {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  CompileContext context;
  std::shared_ptr<PlanCache> plans;
  size_t constant_bytes = 0;
  bool quantized = false;
  bool batch_was_freed = false;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_MODEL_STATE_H_
