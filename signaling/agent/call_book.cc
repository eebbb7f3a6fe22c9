#include "signaling/agent/call_book.h"

#include <algorithm>

namespace sluice::agent {

LiveCall::Called CalledBy(const CallSummary& summary, call::LegNumber number, const LiveCall::Leg& leg,
                          const call::Call* machine) {
  if (leg.called != nullptr) return *leg.called;
  return {summary.callee.number, machine == nullptr ? std::string() : machine->AccountOf(number)};
}

BookedCall& CallBook::Add(CallSummary summary, std::unique_ptr<LiveCall> live) {
  auto call = std::make_unique<BookedCall>();
  call->summary = std::move(summary);
  call->live = std::move(live);
  BookedCall& booked = *call;
  by_age_.insert(&booked);
  calls_.insert(std::move(call));
  return booked;
}

BookedCall* CallBook::Find(absl::string_view call_id) {
  const auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : found->get();
}

CallBook::Found CallBook::FindName(const Names& names, absl::string_view sip_call_id, absl::string_view local_tag) {
  const auto found = names.find(LegName::Key(sip_call_id, local_tag));
  return found == names.end() ? Found() : Found{(*found)->call, (*found)->leg};
}

void CallBook::List(Names& names, BookedCall::Name& name) {
  if (const auto [known, is_new] = names.insert(&name); !is_new) {
    names.erase(known);
    names.insert(&name);
  }
}

void CallBook::Unlist(Names& names, BookedCall::Name& name) {
  if (const auto found = names.find(&name); found != names.end() && *found == &name) names.erase(found);
}

void CallBook::AddLeg(BookedCall& call, call::LegNumber leg, const std::string& sip_call_id) {
  List(legs_, call.legs.emplace_front(BookedCall::Name{&call, leg, sip_call_id}));
}

CallBook::Found CallBook::FindLeg(absl::string_view sip_call_id) const { return FindName(legs_, sip_call_id, ""); }

void CallBook::AddDialog(BookedCall& call, call::LegNumber leg, const std::string& sip_call_id,
                         const std::string& local_tag) {
  List(dialogs_, call.dialogs.emplace_front(BookedCall::Name{&call, leg, sip_call_id, local_tag}));
}

void CallBook::RemoveDialog(BookedCall& call, const std::string& sip_call_id, const std::string& local_tag) {
  call.dialogs.remove_if([&](BookedCall::Name& name) {
    const bool is_it = name.sip_call_id == sip_call_id && name.local_tag == local_tag;
    if (is_it) Unlist(dialogs_, name);
    return is_it;
  });
}

CallBook::Found CallBook::FindDialog(absl::string_view sip_call_id, absl::string_view local_tag) const {
  return FindName(dialogs_, sip_call_id, local_tag);
}

void CallBook::End(BookedCall& call) {
  call.live.reset();
  for (BookedCall::Name& dialog : call.dialogs) Unlist(dialogs_, dialog);
  call.dialogs.clear();
  by_age_.erase(&call);
}

void CallBook::Keep(BookedCall& call) {
  kept_.push_back(&call);
  while (kept_.size() > std::max<size_t>(kept_calls_, 1)) {
    BookedCall& oldest = *kept_.front();
    kept_.pop_front();
    Forget(oldest);
  }
}

void CallBook::Forget(BookedCall& call) {
  for (BookedCall::Name& leg : call.legs) Unlist(legs_, leg);
  calls_.erase(calls_.find(absl::string_view(call.summary.call_id)));
}

std::vector<const BookedCall*> CallBook::Page(absl::Time time, absl::string_view call_id, size_t size) const {
  std::vector<const BookedCall*> page;
  auto next = by_age_.lower_bound(IsOlder::Key(time, call_id));
  while (page.size() < size && next != by_age_.begin()) page.push_back(*--next);
  return page;
}

std::vector<BookedCall*> CallBook::Live() const { return std::vector<BookedCall*>(by_age_.begin(), by_age_.end()); }

}  // namespace sluice::agent
