// An SDP body (RFC 8866) that is read as far as a media relay must and changed as little as it must.
//
// How it works. The text is kept as lines, in order, each with the line end that it came with. Reading one pass over
// them finds the m-lines and what belongs to each; edits replace single lines. What nobody here knows (letters,
// attributes, key lines) stays as it was, so ToString of an unedited description is the text that was read.
//
// Lenient about what phones do: LF alone as line end, no s= or t=, no line end after the last line, letters that no RFC
// knows. Strict about what could mislead a relay: ports above 65535, payload types above 127, an m-line in use without
// a c-line, lines that are none.
//
// Threads: a value.
#ifndef SLUICE_SIGNALING_SDP_SESSION_DESCRIPTION_H_
#define SLUICE_SIGNALING_SDP_SESSION_DESCRIPTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice::sdp {

struct Limits {
  size_t bytes = 16384;
  size_t lines = 512;
  size_t media_lines = 16;
  // Of one m-line.
  size_t formats = 64;
};

enum class Direction : uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };

// As a=sendonly and its kin write it.
absl::string_view DirectionName(Direction direction);

// The value of a c-line: "IN IP4 198.18.1.2".
struct Connection {
  bool is_v6 = false;
  // As written, without TTL and count of a multicast group. May be a host name.
  std::string address;

  // 0.0.0.0 or ::, by which phones of RFC 2543 put a call on hold.
  bool IsUnspecified() const;
};

// A format of an RTP m-line.
struct Format {
  uint8_t payload_type = 0;
  // From a=rtpmap, else of RFC 3551's table; empty: neither says.
  std::string encoding;
  uint32_t clock_rate = 8000;
};

// What one m-line and the lines below it say. Lines of the session level count where the m-line says nothing itself.
struct Media {
  // "audio", "video", "image", …
  std::string type;
  // "RTP/AVP", "udptl", …
  std::string protocol;
  uint16_t port = 0;
  // Formats as written.
  std::vector<std::string> format_names;
  // Of an RTP protocol.
  std::vector<Format> formats;
  // Nothing: there is none, also not at the session level (only where the port is 0).
  std::optional<Connection> connection;
  Direction direction = Direction::kSendRecv;
  // a=rtcp (RFC 3605); 0: none. Without an address of its own, `rtcp_address` is empty.
  uint16_t rtcp_port = 0;
  std::string rtcp_address;
  // a=rtcp-mux (RFC 5761).
  bool rtcp_mux = false;
  // The m-line's own b=AS or b=TIAS in bits a second; 0: none. TIAS counts no headers.
  uint64_t bandwidth_as = 0;
  uint64_t bandwidth_tias = 0;

  bool is_rtp() const;
  // Its packets are datagrams, so a relay of UDP can carry it.
  bool is_udp() const;
};

// The o-line's parts that an author owns.
struct Origin {
  std::string user = "-";
  uint64_t session_id = 0;
  uint64_t version = 0;
  bool is_v6 = false;
  std::string address;

  // The value of the o-line.
  std::string ToString() const;
};

// Where a relay receives one m-line's media.
struct RelayAddress {
  bool is_v6 = false;
  std::string address;
  uint16_t port = 0;
  // Equal to `port` where RTCP is muxed.
  uint16_t rtcp_port = 0;
};

class SessionDescription {
 public:
  // INVALID_ARGUMENT says which line and what is wrong with it.
  static absl::StatusOr<SessionDescription> Parse(absl::string_view text, const Limits& limits = {});

  const std::vector<Media>& media() const { return media_; }
  // Username of the o-line; empty: there is no o-line.
  absl::string_view origin_user() const;

  // Edits. What `media` says stays what was read.
  //
  // Puts `origin` in the place of the o-line, or behind the v-line.
  void SetOrigin(const Origin& origin);
  // Anchors the media at a relay: entry i is for m-line i; nothing there refuses the m-line by port 0. Changes ports,
  // c-lines (those of a call on hold by 0.0.0.0 stay) and a=rtcp, and removes the lines of ICE (RFC 8839), whose
  // candidates would lead around the relay.
  void Anchor(const std::vector<std::optional<RelayAddress>>& relay);
  // Appends the m-lines of `other` that are beyond this one's own, refused by port 0: what was there once stays in its
  // place (RFC 3264 8).
  void AppendRefused(const SessionDescription& other);
  // Drops the m-lines from `count` on, also from `media`.
  void Truncate(size_t count);

  std::string ToString() const;

 private:
  // One line without its end.
  struct Line {
    std::string text;
    enum class End : uint8_t { kCrLf, kLf, kNone } end = End::kCrLf;

    char letter() const { return text[0]; }
    absl::string_view value() const { return absl::string_view(text).substr(2); }
    bool IsAttribute(absl::string_view name) const;
  };
  // Lines of one m-line: [begin, end).
  struct Section {
    size_t begin = 0;
    size_t end = 0;
  };

  absl::Status ReadLines(absl::string_view text, const Limits& limits);
  absl::Status ReadSession(size_t end);
  absl::Status ReadMedia(const Section& section, const Limits& limits);
  static absl::Status ReadMediaLine(const Line& line, Media& media);
  static absl::Status ReadRtpMap(const Line& line, absl::string_view value, Media& media);
  // Behind the last m-line: nothing, at the end.
  Section SectionOf(size_t index) const;
  size_t SectionEnd(size_t media_line) const;
  // Works on the last section first, so that the others stay where they are. `common`: the c-line of the first anchored
  // m-line, for those that are refused.
  void AnchorSection(size_t index, const std::optional<RelayAddress>& relay, absl::string_view session_connection,
                     absl::string_view common);
  void Insert(size_t position, std::string text);
  void EraseIceAttributes(size_t begin, size_t end);
  void FindMediaLines();

  std::vector<Line> lines_;
  // Index of each m-line.
  std::vector<size_t> media_lines_;
  std::vector<Media> media_;
  std::optional<Connection> session_connection_;
  Direction session_direction_ = Direction::kSendRecv;
};

}  // namespace sluice::sdp

#endif  // SLUICE_SIGNALING_SDP_SESSION_DESCRIPTION_H_
