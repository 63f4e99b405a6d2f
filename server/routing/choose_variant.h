// ChooseVariant: which variant answers a request. A pure function of what the request says and of the version.
#ifndef TANDEM_SERVER_ROUTING_CHOOSE_VARIANT_H_
#define TANDEM_SERVER_ROUTING_CHOOSE_VARIANT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/model_config.h"
#include "server/models/lane.h"
#include "server/models/variant.h"

namespace tandem::routing {

// What int8 is like at this moment.
struct Int8Status {
  bool loaded = false;  // it can answer
  const models::Lane& lane;
};

// `requested` (parameters["variant"]; empty: none) wins: a loaded variant answers whatever its verdict, and
// FAILED_PRECONDITION says why one is not there. Without it the route decides: fp32; int8 as soon as it is loaded; auto
// once it is proven, but never what the method `binary` made: that is for study. The routes split and shadow are not
// carried out yet and answer in fp32.
absl::StatusOr<models::Precision> ChooseVariant(absl::string_view requested, const config::RouteConfig& route,
                                                const Int8Status& int8);

}  // namespace tandem::routing

#endif  // TANDEM_SERVER_ROUTING_CHOOSE_VARIANT_H_
