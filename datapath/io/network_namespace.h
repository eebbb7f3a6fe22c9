// Network namespaces for tests: without a name, so that nothing is left of them when the test ends, however it ends.
//
// Threads: a namespace is entered by one thread; what that thread makes (sockets, processes) is in it.

#ifndef SLUICE_DATAPATH_IO_NETWORK_NAMESPACE_H_
#define SLUICE_DATAPATH_IO_NETWORK_NAMESPACE_H_

#include <string>

namespace sluice::io {

class NetworkNamespace {
 public:
  // A new namespace with its loopback up. Needs root; ends the program if it cannot be made.
  NetworkNamespace();
  ~NetworkNamespace();
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;

  // For `ip link set ... netns`, while this lives.
  std::string path() const;

  // Puts the calling thread into it.
  void Enter() const;
  // Runs a shell command in it. Returns whether it succeeded; its output is the test's.
  bool Run(const std::string& command) const;

 private:
  int fd_;
};

// Keeps the calling thread in a namespace for a scope.
class InNamespace {
 public:
  explicit InNamespace(const NetworkNamespace& space);
  ~InNamespace();
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;

 private:
  int before_;
};

}  // namespace sluice::io

#endif  // SLUICE_DATAPATH_IO_NETWORK_NAMESPACE_H_
