// Values of the APIs as text for people: times, durations, sizes, and strings that came from the network.
//
// What came from the network may hold anything; Printable is what keeps it from steering the reader's terminal.
#ifndef SLUICE_CLI_TEXT_H_
#define SLUICE_CLI_TEXT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/relay/v1/session_service.pb.h"

namespace sluice::cli {

// `text` with control characters and broken UTF-8 replaced by "?".
std::string Printable(absl::string_view text);
// Columns that printable UTF-8 takes on a terminal: combining marks none, wide East Asian characters two.
size_t DisplayWidth(absl::string_view text);
// `text` filled up with blanks to `width` columns; longer text stays as it is.
std::string PadRight(absl::string_view text, size_t width);
std::string PadLeft(absl::string_view text, size_t width);

// "-" for what is empty.
std::string OrDash(absl::string_view text);

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);
absl::Duration DurationOf(const google::protobuf::Duration& duration);
// "2026-11-25 02:18:45", UTC; "-" for an unset one.
std::string FormatUtc(const google::protobuf::Timestamp& timestamp);
// "0:07", "12:34", "1:02:03".
std::string FormatClock(absl::Duration duration);
// A short one with its unit: "3 us", "1.2 ms", "4.0 s".
std::string FormatShort(absl::Duration duration);
// "12 B", "34.5 KiB", "1.2 GiB".
std::string FormatBytes(uint64_t bytes);
// "0.1 ms".
std::string FormatMilliseconds(double milliseconds);
// "12.5 %" of a share between 0 and 1.
std::string FormatShare(double share);
// "198.18.1.1:24594", "[2001:db8::1]:24594"; "-" for an unset one.
std::string FormatEndpoint(const relay::v1::Endpoint& endpoint);

// The end of an enum value's name in lower case: "answered" for CALL_STATE_ANSWERED with the prefix "CALL_STATE_".
std::string EnumWord(absl::string_view name, absl::string_view prefix);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TEXT_H_
