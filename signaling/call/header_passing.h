// Which header fields of one leg's message belong to the other leg's too.
//
// A leg makes for itself what names it, routes it, authenticates it or negotiates with its peer alone (dialog
// identifiers, Via, Contact, routes, credentials, option tags, session timer, reliability of provisional responses).
// All else, above all what nobody here knows, is passed on as it came and in its order, unless it is blocked.
#ifndef SLUICE_SIGNALING_CALL_HEADER_PASSING_H_
#define SLUICE_SIGNALING_CALL_HEADER_PASSING_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "signaling/sip/message.h"

namespace sluice::call {

// Of requests of our own.
inline constexpr uint32_t kInitialMaxForwards = 70;

// `blocked`: further names, in lower case.
void PassHeaders(const sip::Message& from, const absl::flat_hash_set<std::string>& blocked, sip::Message& to);

// Puts `from`'s body into `to` as it is.
void PassBody(const sip::Message& from, sip::Message& to);

// The answer to `request`, which is no INVITE and was passed on, from the final `response` that it got there; without
// Contact. `to_tag`, `blocked`: as above and in Message::ResponseTo.
sip::Message PassedResponse(const sip::Message& request, const sip::Message& response, absl::string_view to_tag,
                            const absl::flat_hash_set<std::string>& blocked);

// `address` (a From or To value) as it is on our side, without tag: its display name and user, our domain; its own one
// if `domain` is empty. `display_name` stands in for one that is missing. Anonymous callers keep their domain, which
// says that they are (RFC 3323 4.1.1.3), and get no name.
std::string OwnAddress(absl::string_view address, absl::string_view domain, absl::string_view display_name = "");

// Max-Forwards for the other leg: one less than in `request`; 70 where it has none. Nothing: it must go no further
// (483).
std::optional<uint32_t> PassedMaxForwards(const sip::Message& request);

}  // namespace sluice::call

#endif  // SLUICE_SIGNALING_CALL_HEADER_PASSING_H_
