// Steps in the lives of versions and of their int8 variants, as the log and the history tell of them.
#ifndef TANDEM_SERVER_APP_STEPS_H_
#define TANDEM_SERVER_APP_STEPS_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/metrics/life_metrics.h"
#include "server/models/int8_lanes.h"
#include "server/models/registry.h"
#include "server/shadow/promoter.h"
#include "server/state/records.h"
#include "server/sync/time.h"

namespace tandem::app {

void LogStep(const models::VersionStatus& step, const std::string& note);
void LogStep(const models::LaneStatus& step, const std::string& note);
void LogStep(const shadow::Event& event);

void CountStep(const models::VersionStatus& step, Time now, metrics::LifeMetrics& metrics);
void CountStep(const shadow::Event& event, metrics::LifeMetrics& metrics);

// Nothing for steps that are only on the way to others.
std::optional<state::Event> EventOf(const models::VersionStatus& step, absl::Time when);
std::optional<state::Event> EventOf(const models::LaneStatus& step, absl::Time when);
state::Event EventOf(const shadow::Event& event, absl::Time when);

}  // namespace tandem::app

#endif  // TANDEM_SERVER_APP_STEPS_H_
