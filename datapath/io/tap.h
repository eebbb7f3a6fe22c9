// A TAP: a network interface of the kernel whose wire is a file descriptor of ours. It goes with the process.
//
// Threads: one.

#ifndef SLUICE_DATAPATH_IO_TAP_H_
#define SLUICE_DATAPATH_IO_TAP_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "datapath/packet/mac_address.h"

namespace sluice::io {

class Tap {
 public:
  // Makes the interface `name` with `mac_address` and sets it up. Errors are one line that says what to do.
  static absl::StatusOr<Tap> Open(const std::string& name, const packet::MacAddress& mac_address);
  ~Tap();
  Tap(Tap&& other) noexcept;
  Tap& operator=(Tap&&) = delete;

  int fd() const { return fd_; }
  // The kernel's index of the interface.
  unsigned index() const { return index_; }

  // Gives the kernel a frame. False if it does not take it.
  bool Write(const uint8_t* frame, size_t size);
  // Takes a frame that the kernel sends. Its size, 0 if there is none.
  size_t Read(uint8_t* frame, size_t capacity);

 private:
  explicit Tap(int fd) : fd_(fd) {}

  int fd_;
  unsigned index_ = 0;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_TAP_H_
