// A DNS in memory: records that the test sets, answered at once or when it says so.
#ifndef SLUICE_SIGNALING_DNS_DNS_CLIENT_FAKE_H_
#define SLUICE_SIGNALING_DNS_DNS_CLIENT_FAKE_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "signaling/dns/dns_client.h"

namespace sluice::dns {

class DnsClientFake final : public DnsClient {
 public:
  void Set(const std::string& name, RecordType type, Records records) { records_[{name, type}] = std::move(records); }
  // Nobody can say what there is.
  void Fail(const std::string& name, RecordType type) { failures_.insert({name, type}); }
  void SetFailing(bool failing) { failing_ = failing; }
  // Answers wait for Answer().
  void SetSlow(bool slow) { slow_ = slow; }

  void Ask(const std::string& name, RecordType type, Callback done) override {
    questions_.push_back(name);
    waiting_.emplace_back(std::pair(name, type), std::move(done));
    if (!slow_) Answer();
  }

  void Answer() {
    while (!waiting_.empty()) {
      const auto [question, done] = std::move(waiting_.front());
      waiting_.erase(waiting_.begin());
      if (failing_ || failures_.contains(question)) {
        done(absl::UnavailableError("no server answers"));
      } else {
        const auto found = records_.find(question);
        done(found == records_.end() ? Records{.lifetime = absl::Seconds(30)} : found->second);
      }
    }
  }

  // Names that were asked for, in order.
  const std::vector<std::string>& questions() const { return questions_; }

 private:
  std::map<std::pair<std::string, RecordType>, Records> records_;
  std::set<std::pair<std::string, RecordType>> failures_;
  std::vector<std::pair<std::pair<std::string, RecordType>, Callback>> waiting_;
  std::vector<std::string> questions_;
  bool failing_ = false;
  bool slow_ = false;
};

}  // namespace sluice::dns

#endif  // SLUICE_SIGNALING_DNS_DNS_CLIENT_FAKE_H_
