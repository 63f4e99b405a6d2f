#include <cstring>

#include "engine/session.h"
#include "engine/status.h"
#include "engine/tool/commands.h"
#include "engine/tool/inputs.h"

namespace tandem::engine {

absl::Status RunOnce(const RunOptions& options) {
  TANDEM_ASSIGN_OR_RETURN(const auto model, Model::Load(options.model));
  TANDEM_ASSIGN_OR_RETURN(const NamedTensors arrays, ReadNpz(options.inputs));
  TANDEM_ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, SelectInputs(*model, arrays));
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  Session session({.threads = options.threads});
  TANDEM_ASSIGN_OR_RETURN(Execution* const execution, session.Prepare(model, shapes));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].num_bytes() == 0) continue;
    std::memcpy(execution->input(static_cast<int>(i)).data(), inputs[i].data(), inputs[i].num_bytes());
  }
  TANDEM_RETURN_IF_ERROR(execution->Run());
  NamedTensors outputs;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    outputs.emplace(model->outputs()[i].name, execution->output(static_cast<int>(i)).Clone());
  }
  return WriteNpz(options.outputs, outputs);
}

}  // namespace tandem::engine
