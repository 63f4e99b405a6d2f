#include "engine/ops/einsum_equation.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/ops/op.h"

namespace tandem::engine {

namespace {

// Labels of one term; its ellipsis, if any, stands for `ellipsis` dimensions.
absl::StatusOr<EinsumLabels> ParseTerm(absl::string_view term, int64_t ellipsis) {
  EinsumLabels labels;
  bool seen = false;
  for (size_t i = 0; i < term.size(); ++i) {
    if (absl::ascii_isalpha(static_cast<unsigned char>(term[i]))) {
      labels.push_back(term[i]);
    } else if (term.substr(i, 3) == "..." && !seen) {
      seen = true;
      for (int64_t k = ellipsis - 1; k >= 0; --k) labels.push_back(kEllipsisLabel + k);
      i += 2;
    } else {
      return OpError("term '", term, "' has an unexpected '", term.substr(i, 1), "'");
    }
  }
  return labels;
}

bool HasEllipsis(absl::string_view term) { return term.find('.') != absl::string_view::npos; }

// The result's labels when the equation has no "->": the ellipsis, then what occurs once, in ASCII order.
EinsumLabels ImplicitOutput(const std::vector<EinsumLabels>& terms, int64_t ellipsis) {
  absl::flat_hash_map<EinsumLabel, int> counts;
  for (const EinsumLabels& term : terms) {
    for (EinsumLabel label : term) ++counts[label];
  }
  EinsumLabels output;
  for (const auto& [label, count] : counts) {
    if (count == 1 && label < kEllipsisLabel) output.push_back(label);
  }
  std::sort(output.begin(), output.end());
  EinsumLabels leading;
  for (int64_t k = ellipsis - 1; k >= 0; --k) leading.push_back(kEllipsisLabel + k);
  output.insert(output.begin(), leading.begin(), leading.end());
  return output;
}

absl::Status SetSizes(absl::Span<const Shape> shapes, EinsumEquation& equation) {
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (size_t axis = 0; axis < shapes[i].size(); ++axis) {
      const int64_t dim = shapes[i][axis];
      int64_t& size = equation.sizes.try_emplace(equation.terms[i][axis], dim).first->second;
      if (size == 1) size = dim;
      if (dim != size && dim != 1) {
        return OpError("operand ", i, " is ", ToString(shapes[i]), ", expected ", size, " on axis ", axis);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOutput(const EinsumEquation& equation) {
  for (size_t i = 0; i < equation.output.size(); ++i) {
    const EinsumLabel label = equation.output[i];
    const auto name = label < kEllipsisLabel ? std::string(1, static_cast<char>(label)) : "...";
    if (!equation.sizes.contains(label)) return OpError("the result's '", name, "' is in no operand");
    if (std::count(equation.output.begin(), equation.output.end(), label) > 1) {
      return OpError("the result has '", name, "' twice");
    }
  }
  return absl::OkStatus();
}

}  // namespace

Shape EinsumEquation::OutputShape() const {
  Shape shape;
  for (EinsumLabel label : output) shape.push_back(sizes.at(label));
  return shape;
}

absl::StatusOr<EinsumEquation> ParseEinsum(absl::string_view equation, absl::Span<const Shape> shapes) {
  const std::string text = absl::StrReplaceAll(equation, {{" ", ""}});
  const std::vector<std::string> sides = absl::StrSplit(text, "->");
  if (sides.size() > 2) return OpError("equation '", equation, "' has more than one '->'");
  const std::vector<std::string> terms = absl::StrSplit(sides[0], ',');
  if (terms.size() != shapes.size()) {
    return OpError("equation '", equation, "' has ", terms.size(), " terms for ", shapes.size(), " operands");
  }
  EinsumEquation result;
  int64_t widest = 0;  // dimensions of the widest ellipsis
  for (size_t i = 0; i < terms.size(); ++i) {
    const int64_t rank = static_cast<int64_t>(shapes[i].size());
    const int64_t letters = static_cast<int64_t>(terms[i].size()) - (HasEllipsis(terms[i]) ? 3 : 0);
    const int64_t ellipsis = HasEllipsis(terms[i]) ? rank - letters : 0;
    TANDEM_ASSIGN_OR_RETURN(EinsumLabels labels, ParseTerm(terms[i], std::max<int64_t>(0, ellipsis)));
    if (static_cast<int64_t>(labels.size()) != rank) {
      return OpError("term '", terms[i], "' does not fit operand ", i, " of shape ", ToString(shapes[i]));
    }
    widest = std::max(widest, ellipsis);
    result.terms.push_back(std::move(labels));
  }
  TANDEM_RETURN_IF_ERROR(SetSizes(shapes, result));
  if (sides.size() == 2) {
    TANDEM_ASSIGN_OR_RETURN(result.output, ParseTerm(sides[1], widest));
  } else {
    result.output = ImplicitOutput(result.terms, widest);
  }
  TANDEM_RETURN_IF_ERROR(CheckOutput(result));
  return result;
}

}  // namespace tandem::engine
