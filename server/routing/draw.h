// Draws: numbers in [0, 1) that decide which variant answers a request and whether it is compared.
//
// A key always draws the same number, here and on every other server, so that who is sent to a variant stays there
// while the share that goes to it stays or grows.
#ifndef TANDEM_SERVER_ROUTING_DRAW_H_
#define TANDEM_SERVER_ROUTING_DRAW_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace tandem::routing {

// `salt` (a model's name) makes the draws of a key for different purposes independent of each other.
double DrawOf(absl::string_view salt, absl::string_view key);
// The n-th of a sequence that looks random.
double DrawOf(uint64_t n);

}  // namespace tandem::routing

#endif  // TANDEM_SERVER_ROUTING_DRAW_H_
