// Session: runs models on one thread, out of one arena of memory.
//
// A worker owns one session and runs any number of models with it; all of their plans share the session's arena, so
// that memory grows with workers and not with models times shapes. A session and its executions belong to one thread at
// a time.
//
//   Session session({.threads = 1});
//   ASSIGN(Execution* run, session.Prepare(model, {Shape{8, 3, 224, 224}}));
//   gather(requests, run->input(0).data());
//   RETURN_IF_ERROR(run->Run());
//   scatter(run->output(0));
#ifndef TANDEM_ENGINE_SESSION_H_
#define TANDEM_ENGINE_SESSION_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/model.h"
#include "engine/tensor.h"

namespace tandem::engine {

// A plan bound to the memory of one session.
class Execution {
 public:
  virtual ~Execution() = default;
  // Where to write input `i` (row-major, the shape asked for) before Run. Writing the inputs, Run and reading the
  // outputs must follow each other with no other execution of the same session in between: they share memory.
  virtual Tensor& input(int i) = 0;
  // Computes the outputs. Fails only for what depends on the data (an index out of range, sizes that do not fit).
  virtual absl::Status Run() = 0;
  // Result `i` of the last Run. Its shape may differ from run to run where it depends on the data.
  virtual const Tensor& output(int i) const = 0;
};

// The instruction set that plans are compiled for, by oneDNN's name: "avx2", "avx512_core_vnni", ... int8 results and
// speeds are those of one level.
absl::string_view CpuLevel();

// The threads that a session may use at most: OMP_NUM_THREADS, or the cores of the process. To be asked before anything
// was run on the calling thread.
int LargestTeam();

struct SessionOptions {
  // Threads one run may use. 1 runs wholly on the caller's thread; others are a team of OpenMP, which is the caller's.
  int threads = 1;
};

class Session {
 public:
  explicit Session(const SessionOptions& options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // The execution of `model` for these input shapes (one an input, fully known): compiled on first use, found in
  // tens of nanoseconds after. It stays valid until Forget or until enough other shapes of the model have pushed it
  // out, at the earliest by the next Prepare. INVALID_ARGUMENT when the shapes do not fit.
  absl::StatusOr<Execution*> Prepare(const std::shared_ptr<const Model>& model, absl::Span<const Shape> shapes);

  // Drops everything bound to `model`.
  void Forget(const Model& model);

  // Ends the other threads of the caller's team, which else stay and for some milliseconds spin; the next run starts
  // them again, in some 50 microseconds.
  void DismissTeam();

  // Bytes of scratch memory in use.
  size_t arena_bytes() const;
  // The scratch memory that the largest of the plans bound since the last call needs; 0 when none was.
  size_t TakeBoundBytes();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_SESSION_H_
