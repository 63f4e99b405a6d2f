#include "server/routing/draw.h"

namespace tandem::routing {
namespace {

// The finalizer of SplitMix64: every bit of the result depends on every bit of `x`.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// FNV-1a, from where `hash` stands.
uint64_t HashOf(absl::string_view text, uint64_t hash) {
  for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

double ToUnit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace

double DrawOf(absl::string_view salt, absl::string_view key) {
  constexpr uint64_t kBasis = 0xcbf29ce484222325;
  return ToUnit(Mix(HashOf(key, Mix(HashOf(salt, kBasis)))));
}

double DrawOf(uint64_t n) { return ToUnit(Mix((n + 1) * 0x9e3779b97f4a7c15)); }

}  // namespace tandem::routing
