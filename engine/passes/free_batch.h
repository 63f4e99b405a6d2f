// A model exported for a batch of one, made to take any.
#ifndef TANDEM_ENGINE_PASSES_FREE_BATCH_H_
#define TANDEM_ENGINE_PASSES_FREE_BATCH_H_

#include "engine/graph.h"

namespace tandem::engine {

// Declares dimension 0 of every input and output, which is 1, free, and has Reshape to a constant shape that begins
// with that 1 keep the first dimension of what it reshapes. For a graph as it was imported. Returns false, and leaves
// the graph as it is, when it declares anything else there.
//
// A guess by convention: that dimension 0 is the batch, and that rows do not touch, has to be proven on data.
bool FreeBatch(Graph& graph);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_PASSES_FREE_BATCH_H_
