#include "signaling/agent/call_book.h"

#include <algorithm>

namespace sluice::agent {

BookedCall& CallBook::Add(CallSummary summary, std::unique_ptr<LiveCall> live) {
  auto call = std::make_unique<BookedCall>();
  call->summary = std::move(summary);
  call->live = std::move(live);
  BookedCall& booked = *call;
  by_age_.emplace(std::pair(booked.summary.start_time, booked.summary.call_id), &booked);
  calls_.emplace(booked.summary.call_id, std::move(call));
  return booked;
}

BookedCall* CallBook::Find(absl::string_view call_id) {
  const auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

void CallBook::AddLeg(BookedCall& call, call::LegNumber leg, const std::string& sip_call_id) {
  legs_[sip_call_id] = {&call, leg};
  call.legs.push_back(sip_call_id);
}

CallBook::Found CallBook::FindLeg(absl::string_view sip_call_id) const {
  const auto found = legs_.find(sip_call_id);
  return found == legs_.end() ? Found() : found->second;
}

void CallBook::AddDialog(BookedCall& call, call::LegNumber leg, const std::string& sip_call_id,
                         const std::string& local_tag) {
  dialogs_[DialogName(sip_call_id, local_tag)] = {&call, leg};
  call.dialogs.emplace_back(sip_call_id, local_tag);
}

void CallBook::RemoveDialog(BookedCall& call, const std::string& sip_call_id, const std::string& local_tag) {
  DialogName name(sip_call_id, local_tag);
  dialogs_.erase(name);
  std::erase(call.dialogs, name);
}

CallBook::Found CallBook::FindDialog(absl::string_view sip_call_id, absl::string_view local_tag) const {
  const auto found = dialogs_.find(DialogName(std::string(sip_call_id), std::string(local_tag)));
  return found == dialogs_.end() ? Found() : found->second;
}

void CallBook::End(BookedCall& call) {
  call.live.reset();
  for (const DialogName& dialog : call.dialogs) dialogs_.erase(dialog);
  call.dialogs.clear();
  call.dialogs.shrink_to_fit();
  by_age_.erase(std::pair(call.summary.start_time, call.summary.call_id));
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
  for (const std::string& leg : call.legs) {
    // The name may be a newer call's by now.
    if (const auto found = legs_.find(leg); found != legs_.end() && found->second.call == &call) legs_.erase(found);
  }
  calls_.erase(calls_.find(call.summary.call_id));
}

std::vector<const BookedCall*> CallBook::Page(absl::Time time, absl::string_view call_id, size_t size) const {
  std::vector<const BookedCall*> page;
  auto next = by_age_.lower_bound(std::pair(time, std::string(call_id)));
  while (page.size() < size && next != by_age_.begin()) page.push_back((--next)->second);
  return page;
}

std::vector<BookedCall*> CallBook::Live() const {
  std::vector<BookedCall*> calls;
  for (const auto& [age, call] : by_age_) calls.push_back(call);
  return calls;
}

}  // namespace sluice::agent
