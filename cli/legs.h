// The legs of calls: who was tried, how long it rang and talked, and how that ended.
#ifndef SLUICE_CLI_LEGS_H_
#define SLUICE_CLI_LEGS_H_

#include <string>

#include "absl/time/time.h"
#include "cli/table.h"
#include "sluice/controller/v1/controller_service.pb.h"

namespace sluice::cli {

// From the first provisional response, or the answer, on; until now where it goes on. 0: it did not come so far.
absl::Duration RangFor(const controller::v1::LegRecord& leg);
absl::Duration TalkedFor(const controller::v1::LegRecord& leg);

// "caller".
std::string SideName(const controller::v1::LegRecord& leg);
// "media_timeout".
std::string EndedByName(const controller::v1::EndCause& cause);
// A status or a Q.850 cause; empty for 0: there is none.
std::string CauseNumber(uint32_t number);

// Of one line a leg, whose first cell is `name`.
Table LegTable();
void AddLeg(const std::string& name, const controller::v1::LegRecord& leg, Table& table);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_LEGS_H_
