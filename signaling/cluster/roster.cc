#include "signaling/cluster/roster.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sluice::cluster {

std::string ToText(const Whereabouts& whereabouts) {
  return absl::StrCat(absl::AsciiStrToLower(sip::ProtocolName(whereabouts.protocol)), ":",
                      whereabouts.address.ToString());
}

std::optional<Whereabouts> ParseWhereabouts(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  const std::optional<sip::Protocol> protocol = sip::ParseProtocol(text.substr(0, colon));
  const std::optional<sip::Endpoint> address = sip::Endpoint::Parse(text.substr(colon + 1));
  if (!protocol.has_value() || !address.has_value() || address->port == 0) return std::nullopt;
  if (*protocol != sip::Protocol::kUdp && *protocol != sip::Protocol::kTcp) return std::nullopt;
  return Whereabouts{*protocol, *address};
}

const RosterEntry* Roster::Find(RunNumber run) const {
  const auto found = entries_.find(run);
  return found == entries_.end() ? nullptr : &found->second;
}

std::optional<Whereabouts> Roster::WhoHas(RunNumber run) const {
  const RosterEntry* const entry = Find(run);
  if (entry == nullptr || entry->owner == self_) return std::nullopt;
  const RosterEntry* const owner = Find(entry->owner);
  if (owner == nullptr || owner->owner != entry->owner || !owner->is_alive) return std::nullopt;
  return owner->whereabouts;
}

bool Roster::IsMember(const sip::Endpoint& address) const {
  for (const auto& [number, entry] : entries_) {
    if (number != self_ && entry.owner == number && entry.whereabouts.address.SameAddress(address)) return true;
  }
  return false;
}

std::vector<RunNumber> Roster::Takeable(bool with_silent) const {
  std::vector<RunNumber> runs;
  for (const auto& [number, entry] : entries_) {
    const bool is_silent = entry.owner == number && !entry.is_alive;
    if (number != self_ && (entry.owner == 0 || (with_silent && is_silent))) runs.push_back(number);
  }
  return runs;
}

std::vector<RunNumber> Roster::Taken() const {
  std::vector<RunNumber> runs;
  for (const auto& [number, entry] : entries_) {
    if (number != self_ && entry.owner == self_) runs.push_back(number);
  }
  return runs;
}

std::vector<const RosterEntry*> Roster::Living() const {
  std::vector<const RosterEntry*> living;
  for (const auto& [number, entry] : entries_) {
    if (entry.owner == number && entry.is_alive) living.push_back(&entry);
  }
  return living;
}

}  // namespace sluice::cluster
