// Calls whose place another one is to take, on whichever shard they are: by INVITE with Replaces (RFC 3891), or by
// REFER to somebody with Replaces (RFC 5589 7).
//
// Who names a dialog of ours wants to be connected with its other end. So the dialog is translated: the answer is a way
// to that other end, with Replaces as that one knows its own dialog with us. It takes the new call in the place of the
// old one and ends the old one itself. So a ringing call is picked up: its caller, who has begun the dialog, takes the
// new one and cancels his INVITE (RFC 3891 3).
//
// Threads: any.
#ifndef SLUICE_SIGNALING_AGENT_DIALOG_DIRECTORY_H_
#define SLUICE_SIGNALING_AGENT_DIALOG_DIRECTORY_H_

#include <functional>
#include <string>
#include <vector>

#include "signaling/agent/router.h"
#include "signaling/sip/header_values.h"

namespace sluice::agent {

struct ReplacementRequest {
  // As the party knows it whose place is taken.
  sip::Replaces dialog;
  // Accounts or trunks in whose name it is asked for: of who asks, and who has referred him. The dialog has to be one
  // of theirs.
  std::vector<std::string> by;
};

class DialogDirectory {
 public:
  virtual ~DialogDirectory() = default;

  // Answers once, now or later, on any thread: one callee, or a status of refusal. 481: no such dialog, or that
  // of a caller who is not answered yet; 403: it is somebody else's; 486: only an early dialog was to be replaced.
  virtual void FindReplacement(const ReplacementRequest& request, std::function<void(Router::Route)> done) = 0;
};

}  // namespace sluice::agent

#endif  // SLUICE_SIGNALING_AGENT_DIALOG_DIRECTORY_H_
