// The life of a model version, and which step may follow which.
#ifndef TANDEM_SERVER_MODELS_STATE_H_
#define TANDEM_SERVER_MODELS_STATE_H_

#include "absl/strings/string_view.h"

namespace tandem::models {

enum class State {
  kFound,      // seen in a repository or named on the command line
  kLoading,    // being imported and compiled
  kWarming,    // batch proof and cost measurements run
  kPublished,  // takes requests
  kKept,       // takes no requests, stays warm for a rollback
  kDraining,   // takes no more requests, finishes those it has
  kUnloaded,   // gone from memory
  kFailed,     // could not be loaded; the reason says why
};

inline absl::string_view NameOf(State state) {
  switch (state) {
    case State::kFound:
      return "found";
    case State::kLoading:
      return "loading";
    case State::kWarming:
      return "warming";
    case State::kPublished:
      return "published";
    case State::kKept:
      return "kept";
    case State::kDraining:
      return "draining";
    case State::kUnloaded:
      return "unloaded";
    case State::kFailed:
      return "failed";
  }
  return "";
}

// Legal transitions:
//   found -> loading -> warming -> published -> draining -> unloaded -> found
//   published -> kept -> published, draining
//   loading, warming -> failed -> found (its files changed)
//   found, failed -> unloaded (its files went away)
inline bool MayFollow(State from, State to) {
  switch (from) {
    case State::kFound:
      return to == State::kLoading || to == State::kUnloaded;
    case State::kLoading:
      return to == State::kWarming || to == State::kFailed;
    case State::kWarming:
      return to == State::kPublished || to == State::kFailed;
    case State::kPublished:
      return to == State::kKept || to == State::kDraining;
    case State::kKept:
      return to == State::kPublished || to == State::kDraining;
    case State::kDraining:
      return to == State::kUnloaded;
    case State::kUnloaded:
      return to == State::kFound;
    case State::kFailed:
      return to == State::kFound || to == State::kUnloaded;
  }
  return false;
}

}  // namespace tandem::models

#endif  // TANDEM_SERVER_MODELS_STATE_H_
