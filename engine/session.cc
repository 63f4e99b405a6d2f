#include "engine/session.h"

#include <omp.h>

#include <dnnl.hpp>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "engine/compile/arena.h"
#include "engine/model_state.h"
#include "engine/status.h"

namespace tandem::engine {

absl::string_view CpuLevel() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx2_vnni_2:
      return "avx2_vnni_2";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_fp16:
      return "avx512_core_fp16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "other";
  }
}

int LargestTeam() { return omp_get_max_threads(); }

struct Session::State {
  struct Bound {
    std::shared_ptr<const Model> model;
    std::unique_ptr<BoundGraph> graph;
  };
  int threads = 1;
  Arena arena;
  absl::flat_hash_map<const Model*, Bound> bound;
};

Session::Session(const SessionOptions& options) : state_(std::make_unique<State>()) {
  state_->threads = options.threads;
}

Session::~Session() = default;

absl::StatusOr<Execution*> Session::Prepare(const std::shared_ptr<const Model>& model, absl::Span<const Shape> shapes) {
  State::Bound& bound = state_->bound[model.get()];
  if (bound.graph == nullptr) {
    bound.model = model;
    bound.graph = std::make_unique<BoundGraph>(model->state_->plans, state_->arena, 0, state_->threads);
  }
  if (BoundPlan* const plan = bound.graph->Find(shapes)) return plan;
  TANDEM_RETURN_IF_ERROR(CheckInputShapes(*model, shapes));
  TANDEM_ASSIGN_OR_RETURN(BoundPlan* const plan, bound.graph->Prepare(shapes));
  return plan;
}

void Session::Forget(const Model& model) { state_->bound.erase(&model); }

void Session::DismissTeam() {
  if (state_->threads > 1) omp_pause_resource(omp_pause_soft, omp_get_initial_device());
}

size_t Session::arena_bytes() const { return state_->arena.size(); }

size_t Session::TakeBoundBytes() { return state_->arena.TakeAsked(); }

}  // namespace tandem::engine
