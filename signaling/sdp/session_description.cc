#include "signaling/sdp/session_description.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "signaling/sdp/static_payload_types.h"

namespace sluice::sdp {
namespace {

constexpr uint32_t kMaxPayloadType = 127;
constexpr uint32_t kMaxPort = 65535;
// Above this a bandwidth is no limit.
constexpr uint64_t kMaxBandwidth = 1000000000000;

absl::Status Wrong(absl::string_view line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("SDP line \"", line.substr(0, 60), "\": ", what));
}

// The first word of `rest`, which loses it.
absl::string_view NextWord(absl::string_view& rest) {
  const auto is_space = [&](size_t i) { return rest[i] == ' ' || rest[i] == '\t'; };
  size_t begin = 0;
  while (begin < rest.size() && is_space(begin)) ++begin;
  size_t end = begin;
  while (end < rest.size() && !is_space(end)) ++end;
  const absl::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

bool ParseUpTo(absl::string_view text, uint64_t max, uint64_t& number) {
  if (text.empty() || text.size() > 18) return false;
  number = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number <= max;
}

// "IN IP4 address".
std::optional<Connection> ParseConnection(absl::string_view value) {
  const absl::string_view network = NextWord(value);
  const absl::string_view family = NextWord(value);
  const absl::string_view address = NextWord(value);
  if (!absl::EqualsIgnoreCase(network, "IN") || address.empty()) return std::nullopt;
  const bool is_v6 = absl::EqualsIgnoreCase(family, "IP6");
  if (!is_v6 && !absl::EqualsIgnoreCase(family, "IP4")) return std::nullopt;
  return Connection{is_v6, std::string(address.substr(0, address.find('/')))};
}

std::optional<Direction> ParseDirection(absl::string_view name) {
  for (const Direction direction :
       {Direction::kSendRecv, Direction::kSendOnly, Direction::kRecvOnly, Direction::kInactive}) {
    if (name == DirectionName(direction)) return direction;
  }
  return std::nullopt;
}

std::string ConnectionLine(const RelayAddress& relay) {
  return absl::StrCat("c=IN ", relay.is_v6 ? "IP6 " : "IP4 ", relay.address);
}

}  // namespace

absl::string_view DirectionName(Direction direction) {
  switch (direction) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      return "inactive";
  }
  return "";
}

bool Connection::IsUnspecified() const { return address == "0.0.0.0" || address == "::"; }

bool Media::is_udp() const { return !absl::StartsWithIgnoreCase(protocol, "TCP"); }

bool Media::is_rtp() const {
  return is_udp() && (absl::StartsWithIgnoreCase(protocol, "RTP/") || absl::StrContains(protocol, "/RTP/"));
}

std::string Origin::ToString() const {
  return absl::StrCat(user, " ", session_id, " ", version, " IN ", is_v6 ? "IP6 " : "IP4 ", address);
}

bool SessionDescription::Line::IsAttribute(absl::string_view name) const {
  if (text.empty() || text[0] != 'a') return false;
  const absl::string_view attribute = value();
  return absl::StartsWith(attribute, name) && (attribute.size() == name.size() || attribute[name.size()] == ':');
}

absl::StatusOr<SessionDescription> SessionDescription::Parse(absl::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return absl::InvalidArgumentError(absl::StrCat("SDP of ", text.size(), " bytes, above ", limits.bytes));
  }
  SessionDescription description;
  if (absl::Status status = description.ReadLines(text, limits); !status.ok()) return status;
  const size_t session_end = description.SectionOf(0).begin;
  if (absl::Status status = description.ReadSession(session_end); !status.ok()) return status;
  for (size_t i = 0; i < description.media_lines_.size(); ++i) {
    if (absl::Status status = description.ReadMedia(description.SectionOf(i), limits); !status.ok()) return status;
  }
  return description;
}

absl::Status SessionDescription::ReadLines(absl::string_view text, const Limits& limits) {
  lines_.reserve(std::min<size_t>(std::count(text.begin(), text.end(), '\n') + 1, limits.lines));
  while (!text.empty()) {
    if (lines_.size() == limits.lines) {
      return absl::InvalidArgumentError(absl::StrCat("SDP of more than ", limits.lines, " lines"));
    }
    const size_t feed = text.find('\n');
    Line line;
    absl::string_view content = text.substr(0, feed);
    line.end = feed == absl::string_view::npos ? Line::End::kNone : Line::End::kLf;
    text.remove_prefix(feed == absl::string_view::npos ? text.size() : feed + 1);
    if (line.end == Line::End::kLf && absl::ConsumeSuffix(&content, "\r")) line.end = Line::End::kCrLf;
    // A lone CR or a NUL could be read as a line end by somebody else.
    if (content.find('\r') != absl::string_view::npos || content.find('\0') != absl::string_view::npos) {
      return Wrong("", "a CR or NUL inside");
    }
    if (!content.empty() && (content.size() < 2 || content[1] != '=')) return Wrong(content, "not of the form x=value");
    if (!content.empty() && content[0] == 'm') {
      if (media_lines_.size() == limits.media_lines) {
        return Wrong(content, absl::StrCat("more than ", limits.media_lines, " m-lines"));
      }
      media_lines_.push_back(lines_.size());
    }
    line.text = std::string(content);
    lines_.push_back(std::move(line));
  }
  if (lines_.empty() || !absl::StartsWith(lines_[0].text, "v=")) {
    return Wrong(lines_.empty() ? "" : lines_[0].text, "SDP begins with v=0");
  }
  return absl::OkStatus();
}

absl::Status SessionDescription::ReadSession(size_t end) {
  for (size_t i = 0; i < end; ++i) {
    const Line& line = lines_[i];
    if (line.text.empty()) continue;
    if (line.letter() == 'c') {
      session_connection_ = ParseConnection(line.value());
      if (!session_connection_) return Wrong(line.text, "not \"IN IP4 address\" or \"IN IP6 address\"");
    } else if (line.letter() == 'a') {
      session_direction_ = ParseDirection(line.value()).value_or(session_direction_);
    }
  }
  return absl::OkStatus();
}

absl::Status SessionDescription::ReadMedia(const Section& section, const Limits& limits) {
  const Line& first = lines_[section.begin];
  absl::string_view rest = first.value();
  Media media;
  media.type = std::string(NextWord(rest));
  absl::string_view port = NextWord(rest);
  port = port.substr(0, port.find('/'));
  media.protocol = std::string(NextWord(rest));
  uint64_t number = 0;
  if (media.protocol.empty()) return Wrong(first.text, "not \"type port protocol formats\"");
  if (!ParseUpTo(port, kMaxPort, number)) return Wrong(first.text, "the port is not from 0 to 65535");
  media.port = static_cast<uint16_t>(number);
  for (absl::string_view format = NextWord(rest); !format.empty(); format = NextWord(rest)) {
    if (media.format_names.size() == limits.formats) {
      return Wrong(first.text, absl::StrCat("more than ", limits.formats, " formats"));
    }
    media.format_names.emplace_back(format);
    if (!media.is_rtp()) continue;
    if (!ParseUpTo(format, kMaxPayloadType, number)) return Wrong(first.text, "a payload type is not from 0 to 127");
    Format read;
    read.payload_type = static_cast<uint8_t>(number);
    if (const StaticPayloadType* known = FindStaticPayloadType(read.payload_type)) {
      read.encoding = std::string(known->encoding);
      read.clock_rate = known->clock_rate;
    } else if (media.type == "video") {
      read.clock_rate = 90000;
    }
    media.formats.push_back(std::move(read));
  }
  if (media.format_names.empty()) return Wrong(first.text, "no formats");

  media.connection = session_connection_;
  media.direction = session_direction_;
  for (size_t i = section.begin + 1; i < section.end; ++i) {
    if (lines_[i].text.empty()) continue;
    if (absl::Status status = ReadMediaLine(lines_[i], media); !status.ok()) return status;
  }
  if (!media.connection && media.port != 0) return Wrong(first.text, "no c-line says where its media goes");
  media_.push_back(std::move(media));
  return absl::OkStatus();
}

absl::Status SessionDescription::ReadMediaLine(const Line& line, Media& media) {
  absl::string_view value = line.value();
  uint64_t number = 0;
  switch (line.letter()) {
    case 'c':
      media.connection = ParseConnection(value);
      if (!media.connection) return Wrong(line.text, "not \"IN IP4 address\" or \"IN IP6 address\"");
      break;
    case 'b':
      if (absl::ConsumePrefix(&value, "AS:") && ParseUpTo(value, kMaxBandwidth, number)) {
        media.bandwidth_as = number * 1000;
      } else if (absl::ConsumePrefix(&value, "TIAS:") && ParseUpTo(value, kMaxBandwidth, number)) {
        media.bandwidth_tias = number;
      }
      break;
    case 'a':
      if (const std::optional<Direction> direction = ParseDirection(value)) {
        media.direction = *direction;
      } else if (value == "rtcp-mux") {
        media.rtcp_mux = true;
      } else if (absl::ConsumePrefix(&value, "rtcp:")) {
        if (!ParseUpTo(NextWord(value), kMaxPort, number)) return Wrong(line.text, "the port is not from 0 to 65535");
        media.rtcp_port = static_cast<uint16_t>(number);
        if (const std::optional<Connection> connection = ParseConnection(value)) {
          media.rtcp_address = connection->address;
        }
      } else if (absl::ConsumePrefix(&value, "rtpmap:")) {
        return ReadRtpMap(line, value, media);
      }
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

// "114 AMR/8000" or "111 opus/48000/2".
absl::Status SessionDescription::ReadRtpMap(const Line& line, absl::string_view value, Media& media) {
  uint64_t number = 0;
  if (!ParseUpTo(NextWord(value), kMaxPayloadType, number)) {
    return Wrong(line.text, "the payload type is not from 0 to 127");
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(NextWord(value), '/');
  uint64_t clock_rate = 0;
  if (parts.size() < 2 || !ParseUpTo(parts[1], UINT32_MAX, clock_rate) || clock_rate == 0) {
    return Wrong(line.text, "not \"number encoding/clock rate\"");
  }
  for (Format& format : media.formats) {
    if (format.payload_type != number) continue;
    format.encoding = std::string(parts[0]);
    format.clock_rate = static_cast<uint32_t>(clock_rate);
  }
  return absl::OkStatus();
}

SessionDescription::Section SessionDescription::SectionOf(size_t index) const {
  Section section = {lines_.size(), lines_.size()};
  if (index < media_lines_.size()) section.begin = media_lines_[index];
  if (index + 1 < media_lines_.size()) section.end = media_lines_[index + 1];
  return section;
}

absl::string_view SessionDescription::origin_user() const {
  for (const Line& line : lines_) {
    if (line.text.empty() || line.letter() != 'o') continue;
    absl::string_view value = line.value();
    return NextWord(value);
  }
  return absl::string_view();
}

void SessionDescription::SetOrigin(const Origin& origin) {
  const size_t end = SectionOf(0).begin;
  for (size_t i = 0; i < end; ++i) {
    if (lines_[i].text.empty() || lines_[i].letter() != 'o') continue;
    lines_[i].text = absl::StrCat("o=", origin.ToString());
    return;
  }
  Insert(1, absl::StrCat("o=", origin.ToString()));
  FindMediaLines();
}

void SessionDescription::Anchor(const std::vector<std::optional<RelayAddress>>& relay) {
  const auto first = std::find_if(relay.begin(), relay.end(), [](const auto& address) { return address.has_value(); });
  const std::string common = first == relay.end() ? std::string() : ConnectionLine(**first);
  const size_t session_end = SectionOf(0).begin;
  std::string session_connection;
  for (size_t i = 0; i < session_end; ++i) {
    if (lines_[i].text.empty() || lines_[i].letter() != 'c') continue;
    if (!session_connection_->IsUnspecified() && !common.empty()) lines_[i].text = common;
    session_connection = lines_[i].text;
  }
  for (size_t i = media_lines_.size(); i-- > 0;) {
    AnchorSection(i, i < relay.size() ? relay[i] : std::nullopt, session_connection, common);
  }
  EraseIceAttributes(0, session_end);
  FindMediaLines();
}

void SessionDescription::AnchorSection(size_t index, const std::optional<RelayAddress>& relay,
                                       absl::string_view session_connection, absl::string_view common) {
  const Section section = SectionOf(index);
  const Media& media = media_[index];
  const bool on_hold = media.connection && media.connection->IsUnspecified();
  const std::string connection = relay ? ConnectionLine(*relay) : std::string(common);
  bool has_connection = false;
  bool has_rtcp = false;
  // From the end, so that an erased line moves only what has been done.
  for (size_t i = section.end; i-- > section.begin + 1;) {
    Line& line = lines_[i];
    if (line.text.empty()) continue;
    if (line.letter() == 'c') {
      has_connection = true;
      if (!on_hold && !connection.empty()) line.text = connection;
    } else if (line.IsAttribute("rtcp")) {
      has_rtcp = true;
      if (relay) {
        line.text = absl::StrCat("a=rtcp:", relay->rtcp_port);
        if (!media.rtcp_address.empty()) absl::StrAppend(&line.text, " ", connection.substr(2));
      } else {
        lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }
  absl::string_view rest = absl::string_view(lines_[section.begin].text).substr(2);
  const std::string type(NextWord(rest));
  NextWord(rest);
  lines_[section.begin].text = absl::StrCat("m=", type, " ", relay ? relay->port : 0, rest);
  if (relay) {
    size_t position = section.begin + 1;
    while (position < lines_.size() && absl::StartsWith(lines_[position].text, "i=")) ++position;
    const bool is_next = relay->rtcp_port == relay->port || relay->rtcp_port == relay->port + 1;
    if (!has_rtcp && !is_next) Insert(SectionEnd(section.begin), absl::StrCat("a=rtcp:", relay->rtcp_port));
    if (!has_connection && !on_hold && session_connection != connection) Insert(position, connection);
  }
  EraseIceAttributes(section.begin, SectionEnd(section.begin));
}

size_t SessionDescription::SectionEnd(size_t media_line) const {
  size_t end = media_line + 1;
  while (end < lines_.size() && !absl::StartsWith(lines_[end].text, "m=")) ++end;
  return end;
}

void SessionDescription::AppendRefused(const SessionDescription& other) {
  for (size_t i = media_lines_.size(); i < other.media_.size(); ++i) {
    const Media& media = other.media_[i];
    Insert(lines_.size(),
           absl::StrCat("m=", media.type, " 0 ", media.protocol, " ", absl::StrJoin(media.format_names, " ")));
  }
  FindMediaLines();
}

void SessionDescription::Truncate(size_t count) {
  if (count >= media_lines_.size()) return;
  lines_.resize(media_lines_[count]);
  media_lines_.resize(count);
  media_.resize(count);
}

void SessionDescription::Insert(size_t position, std::string text) {
  Line line;
  line.text = std::move(text);
  line.end = lines_[0].end == Line::End::kNone ? Line::End::kCrLf : lines_[0].end;
  // Behind a last line without a line end, the new one is the last.
  Line& before = lines_[position - 1];
  if (before.end == Line::End::kNone) std::swap(line.end, before.end);
  lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(position), std::move(line));
}

void SessionDescription::EraseIceAttributes(size_t begin, size_t end) {
  static constexpr std::array<absl::string_view, 9> kIce = {"candidate",    "ice-ufrag",         "ice-pwd",
                                                            "ice-options",  "ice-lite",          "ice-pacing",
                                                            "ice-mismatch", "remote-candidates", "end-of-candidates"};
  const auto is_ice = [](const Line& line) {
    return std::any_of(kIce.begin(), kIce.end(), [&](absl::string_view name) { return line.IsAttribute(name); });
  };
  const auto first = lines_.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = lines_.begin() + static_cast<std::ptrdiff_t>(end);
  lines_.erase(std::remove_if(first, last, is_ice), last);
}

void SessionDescription::FindMediaLines() {
  media_lines_.clear();
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (!lines_[i].text.empty() && lines_[i].letter() == 'm') media_lines_.push_back(i);
  }
}

std::string SessionDescription::ToString() const {
  std::string text;
  for (const Line& line : lines_) {
    static constexpr std::array<absl::string_view, 3> kEnds = {"\r\n", "\n", ""};
    absl::StrAppend(&text, line.text, kEnds[static_cast<size_t>(line.end)]);
  }
  return text;
}

}  // namespace sluice::sdp
