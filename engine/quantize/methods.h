// Several methods on one model, compared on one page.
#ifndef TANDEM_ENGINE_QUANTIZE_METHODS_H_
#define TANDEM_ENGINE_QUANTIZE_METHODS_H_

#include <string>
#include <vector>

#include "engine/quantize/report.h"

namespace tandem::engine {

// How a report is compared: `reports` are of one model on the same samples, one a method, each with an artifact of its
// own in the folder of its method's name.

// report.json: format 1, with `methods`, each of them that method's report without its layers.
std::string MethodsAsJson(const std::vector<Report>& reports);
// report.md, for people.
std::string MethodsAsMarkdown(const std::vector<Report>& reports);
// A table for terminals.
std::string MethodsAsText(const std::vector<Report>& reports);

}  // namespace tandem::engine

#endif  // TANDEM_ENGINE_QUANTIZE_METHODS_H_
