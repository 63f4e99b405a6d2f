// Sites: the values of a graph that are stored in 8 bits when some of its layers are, and which of them must share
// their parameters.
//
// A site is a value that an int8 layer reads; what data-movement operators (Reshape, MaxPool, Concat...) lead there
// from; and of two results of int8 layers that are added, the one that cannot be added where it is computed. Sites at
// both ends of a data-movement operator share one scale, so that it runs on the stored bytes.
#ifndef TANDEM_ENGINE_QUANTIZE_SITES_H_
#define TANDEM_ENGINE_QUANTIZE_SITES_H_

#include <vector>

#include "engine/graph.h"
#include "engine/quantize/scheme.h"

namespace tandem::engine {

struct SiteGroup {
  std::vector<ValueId> values;  // ascending; they share one scale
};

// `int8`: one a layer. Groups are in the order of their first values.
std::vector<SiteGroup> FindSites(const Graph& graph, const std::vector<Layer>& layers, const std::vector<bool>& int8);

// Every value that is a site for some choice of int8 layers; ascending.
std::vector<ValueId> PossibleSites(const Graph& graph, const std::vector<Layer>& layers);

// Operators that only move elements, or pick some: their result has the scale of their operand.
bool IsDataMovement(const Node& node);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_SITES_H_
