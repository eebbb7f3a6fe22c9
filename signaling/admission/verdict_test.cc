#include "signaling/admission/verdict.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace sluice::admission {
namespace {

v1::AdmitCallResponse Admitted(int64_t seconds, int32_t nanos = 0) {
  v1::AdmitCallResponse response;
  response.mutable_admitted()->mutable_max_duration()->set_seconds(seconds);
  response.mutable_admitted()->mutable_max_duration()->set_nanos(nanos);
  return response;
}

v1::AdmitCallResponse Refused(uint32_t status, const std::string& reason = "") {
  v1::AdmitCallResponse response;
  response.mutable_refused()->set_sip_status(status);
  response.mutable_refused()->set_reason(reason);
  return response;
}

TEST(Verdict, AdmitsForAsLongAsItSays) {
  v1::AdmitCallResponse endless;
  endless.mutable_admitted();
  EXPECT_EQ(*ReadVerdict(endless), Verdict());
  EXPECT_EQ(ReadVerdict(Admitted(60))->max_duration, absl::Seconds(60));
  EXPECT_EQ(ReadVerdict(Admitted(0, 500'000'000))->max_duration, absl::Milliseconds(500));
  EXPECT_EQ(ReadVerdict(Admitted(315'576'000'000))->max_duration, absl::Hours(366 * 24));
}

TEST(Verdict, RefusesACallThatMayNotLast) {
  for (const auto& response : {Admitted(0), Admitted(-5), Admitted(0, -1)}) {
    EXPECT_EQ(*ReadVerdict(response), Verdict{.status = 403});
  }
}

TEST(Verdict, IsNoneWhereNothingIsSaid) {
  EXPECT_EQ(ReadVerdict(v1::AdmitCallResponse()).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReadVerdict(Admitted(1, 2'000'000'000)).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReadVerdict(Admitted(1, -2'147'483'648)).status().code(), absl::StatusCode::kInternal);
}

TEST(Verdict, RefusesByAFailureAndByNothingElse) {
  struct Case {
    uint32_t said;
    uint16_t status;
  };
  for (const Case& one : {Case{400, 400}, Case{402, 402}, Case{699, 699}, Case{0, 403}, Case{200, 403}, Case{302, 403},
                          Case{399, 403}, Case{700, 403}, Case{65'936, 403}}) {
    EXPECT_EQ(ReadVerdict(Refused(one.said))->status, one.status) << one.said;
  }
}

TEST(Verdict, GivesAReasonThatCanDoNoHarmInAStatusLine) {
  struct Case {
    absl::string_view description;
    std::string said;
    std::string reason;
  };
  const Case cases[] = {
      {"as it is", "No credit", "No credit"},
      {"another script", "余额不足", "余额不足"},
      {"more lines", "No credit\r\nX: y\r\n\r\nbody", "No credit  X: y    body"},
      {"other control characters",
       std::string("a\0b\tc\x7f"
                   "d\x1b",
                   8),
       "a b c d"},
      {"those of Latin-1",
       "a\xc2\x85"
       "b\xc2\x9f"
       "c\xc2\xa0"
       "d",
       "a b c\xc2\xa0"
       "d"},
      {"nothing but blanks", " \r\n ", ""},
      {"too long", std::string(200, 'x'), std::string(128, 'x')},
      {"cut off between two characters", std::string(127, 'x') + "é", std::string(127, 'x')},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(ReadVerdict(Refused(403, one.said))->reason, one.reason) << one.description;
  }
}

TEST(Question, SaysWhoPaysAndCanAlwaysBeParsed) {
  const Question question = {.call_id = "c-1",
                             .payer = "20002230001",
                             .calling = "20002230001",
                             .dialled =
                                 "0\xff"
                                 "30",
                             .routed = "+4930",
                             .trunks = {"carrier", "other"},
                             .occasion = Occasion::kTransfer};
  v1::AdmitCallRequest request = ToRequest(question, "controller-1");
  ASSERT_TRUE(request.ParseFromString(request.SerializeAsString()));
  EXPECT_EQ(request.ShortDebugString(),
            "controller: \"controller-1\" call_id: \"c-1\" account: \"20002230001\" calling_number: \"20002230001\" "
            "dialled_number: \"0?30\" routed_number: \"+4930\" trunks: \"carrier\" trunks: \"other\" "
            "occasion: CALL_OCCASION_TRANSFER");
  request = ToRequest({.payer = "carrier", .is_trunk = true}, "controller-1");
  EXPECT_EQ(request.trunk(), "carrier");
  EXPECT_FALSE(request.has_account());
}

}  // namespace
}  // namespace sluice::admission
