// Remembers answers of the DNS for as long as they say, and that there is no answer (RFC 2308).
//
// Who asks what is being asked already waits for that answer. When nobody could say, that is remembered for a moment,
// so that a dead server is not asked for each call. With `max_entries`, those whose time is over are forgotten; if that
// frees nothing, answers are passed on and not kept.
//
// Threads: those of the event loop of the client behind it.
#ifndef SLUICE_SIGNALING_DNS_CACHING_CLIENT_H_
#define SLUICE_SIGNALING_DNS_CACHING_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "signaling/dns/dns_client.h"

namespace sluice::dns {

struct CachingClientOptions {
  size_t max_entries = 4096;
  // Bounds of what the answers say: a lifetime of 0 would ask for each call, a week would keep an old address.
  absl::Duration shortest = absl::Seconds(1);
  absl::Duration longest = absl::Hours(1);
  absl::Duration failure = absl::Seconds(5);
};

class CachingClient final : public DnsClient {
 public:
  // Both outlive it.
  CachingClient(DnsClient& client, std::function<absl::Time()> now, const CachingClientOptions& options = {})
      : client_(client), now_(std::move(now)), options_(options) {}

  void Ask(const std::string& name, RecordType type, Callback done) override;

 private:
  using Key = std::pair<std::string, RecordType>;
  struct Entry {
    absl::StatusOr<Records> records;
    absl::Time end;
  };

  void Take(const Key& key, const absl::StatusOr<Records>& records);
  void Keep(const Key& key, const absl::StatusOr<Records>& records);

  DnsClient& client_;
  const std::function<absl::Time()> now_;
  const CachingClientOptions options_;
  absl::flat_hash_map<Key, Entry> entries_;
  absl::flat_hash_map<Key, std::vector<Callback>> waiting_;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_CACHING_CLIENT_H_
