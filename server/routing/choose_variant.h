// ChooseVariant: which variant answers a request, and which share of requests the other one answers as well. Pure
// functions of what the request says and of the version.
#ifndef TANDEM_SERVER_ROUTING_CHOOSE_VARIANT_H_
#define TANDEM_SERVER_ROUTING_CHOOSE_VARIANT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/model_config.h"
#include "server/models/lane.h"
#include "server/models/variant.h"
#include "server/models/version.h"

namespace tandem::routing {

// What int8 is like at this moment.
struct Int8Status {
  bool loaded = false;  // it can answer
  const models::Lane& lane;
  models::AutoState auto_state = {};
};

// `requested` (parameters["variant"]; empty: none) wins: a loaded variant answers whatever its verdict, and
// FAILED_PRECONDITION says why one is not there. Without it the route decides: fp32; int8 as soon as it is loaded;
// split by `draw`, in [0, 1); auto as evidence has it. shadow answers in fp32, as does a route between versions.
absl::StatusOr<models::Precision> ChooseVariant(absl::string_view requested, const config::RouteConfig& route,
                                                const Int8Status& int8, double draw);

// The share of requests that go to int8 when they ask for nothing.
double Int8Weight(const config::RouteConfig& route, const Int8Status& int8);

// While int8 answers by the route auto, so many requests are compared whatever else there is to do.
inline constexpr double kWatchedShare = 0.005;

// The share of requests, of those that ask for no variant, to be answered by the other one as well and compared.
double ComparedShare(const config::RouteConfig& route, const Int8Status& int8);

}  // namespace tandem::routing

#endif  // TANDEM_SERVER_ROUTING_CHOOSE_VARIANT_H_
