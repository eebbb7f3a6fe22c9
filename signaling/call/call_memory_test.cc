// What a standing call costs, counted in bytes that it holds.

#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "signaling/call/call_test_bed.h"

namespace {
size_t held = 0;
}  // namespace

void* operator new(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  held += malloc_usable_size(memory);
  return memory;
}
void operator delete(void* memory) noexcept {
  held -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace sluice::call {
namespace {

TEST(CallMemory, OfAStandingCallIsLessThanSixKibibytes) {
  CallTestBed bed;
  bed.Forget();
  const size_t before = held;
  auto call = std::make_unique<Call>(bed.options, bed);
  const auto answer_media = [&](const CreateMedia* create, const UpdateMedia* update) {
    MediaAnswer answer;
    for (const MediaStream& stream : create != nullptr ? create->session.streams : update->session.streams) {
      answer.streams.push_back({stream.id, {{{"198.18.1.1", 20000, 20001}, {"198.18.2.1", 20010, 20011}}}});
    }
    return call->OnMedia(answer, bed.now);
  };
  Actions actions = call->Start(CallTestBed::Invite(), 1, CallTestBed::Caller(), {CallTestBed::Callee()}, bed.now);
  for (size_t i = 0; i < actions.size(); ++i) {
    Actions more;
    if (const auto* create = std::get_if<CreateMedia>(&actions[i])) more = answer_media(create, nullptr);
    if (const auto* update = std::get_if<UpdateMedia>(&actions[i])) more = answer_media(nullptr, update);
    if (const auto* request = std::get_if<SendRequest>(&actions[i])) {
      const SendRequest invite = *request;
      more = call->OnResponse(1, invite.number, CallTestBed::Answer(invite, 200, PhoneSdp("192.168.2.63")), invite.hop,
                              bed.now);
    }
    for (Action& action : more) actions.push_back(std::move(action));
  }
  actions = call->OnAck(kCaller, CallTestBed::Invite("", ""), bed.now);
  actions = Actions();
  const size_t standing = held - before;
  call.reset();
  // Before the first failure, which takes memory too.
  const size_t after = held;
  EXPECT_LT(standing, 6u * 1024);
  EXPECT_GT(standing, 1024u) << "nothing was counted";
  EXPECT_EQ(after, before) << "a call that is gone holds nothing";
  RecordProperty("bytes", static_cast<int>(standing));
}

}  // namespace
}  // namespace sluice::call
