#include "server/routing/choose_variant.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace tandem::routing {
namespace {

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

double Int8Weight(const config::RouteConfig& route, const Int8Status& int8) {
  if (!int8.loaded || route.between_versions()) return 0;
  if (route.mode == "int8") return 1;
  if (route.mode == "split") return route.int8_weight;
  return route.mode == "auto" && int8.auto_state.int8_serves ? 1 : 0;
}

absl::StatusOr<Precision> ChooseVariant(absl::string_view requested, const config::RouteConfig& route,
                                        const Int8Status& int8, double draw) {
  if (!requested.empty()) return Requested(requested, int8);
  return draw < Int8Weight(route, int8) ? Precision::kInt8 : Precision::kFp32;
}

double ComparedShare(const config::RouteConfig& route, const Int8Status& int8) {
  if (!int8.loaded || route.between_versions()) return 0;
  if (route.mode == "shadow") return route.shadow_rate;
  if (route.mode != "auto") return 0;
  if (int8.auto_state.int8_serves) return std::max(route.shadow_rate, kWatchedShare);
  return int8.auto_state.gathers ? route.shadow_rate : 0;
}

}  // namespace tandem::routing
