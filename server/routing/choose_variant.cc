#include "server/routing/choose_variant.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tandem::routing {
namespace {

using models::LaneState;
using models::Precision;

absl::StatusOr<Precision> Requested(absl::string_view name, const Int8Status& int8) {
  if (name == NameOf(Precision::kFp32)) return Precision::kFp32;
  if (name != NameOf(Precision::kInt8)) {
    return absl::FailedPreconditionError(absl::StrCat("no variant \"", absl::CHexEscape(name.substr(0, 40)),
                                                      "\"; there is \"fp32\"", int8.loaded ? " and \"int8\"" : ""));
  }
  if (int8.loaded) return Precision::kInt8;
  return absl::FailedPreconditionError(models::Describe(int8.lane));
}

}  // namespace

absl::StatusOr<Precision> ChooseVariant(absl::string_view requested, const config::RouteConfig& route,
                                        const Int8Status& int8) {
  if (!requested.empty()) return Requested(requested, int8);
  if (!int8.loaded) return Precision::kFp32;
  const bool wanted = route.mode == "int8" || (route.mode == "auto" && int8.lane.state == LaneState::kProven);
  return wanted ? Precision::kInt8 : Precision::kFp32;
}

}  // namespace tandem::routing
