// A gRPC server with server reflection and grpc.health.v1, on UNIX sockets and TCP addresses.
//
// A UNIX socket that a killed predecessor left is removed; one that somebody still answers on is an error. Health is
// per service: all are SERVING from the start but those that SetServing says otherwise of.
//
// Threads: any.
#ifndef SLUICE_PROCESS_GRPC_SERVER_H_
#define SLUICE_PROCESS_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace sluice::process {

class GrpcServer {
 public:
  // `addresses` as checked by CheckGrpcAddress. ALREADY_EXISTS if another process holds one of them, PERMISSION_DENIED,
  // NOT_FOUND (no folder for the socket); the message says which address and what to do. `services` outlive the server.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const std::vector<std::string>& addresses,
                                                           const std::vector<grpc::Service*>& services);

  // Stops as Stop() with one second of grace.
  ~GrpcServer();

  // Health of a name such as "sluice.relay.v1.Admission"; the empty name is the process as a whole.
  void SetServing(const std::string& service, bool serving);

  // Takes no new calls; those on their way get `grace` and are then cancelled. Removes the UNIX sockets. Once only.
  void Stop(absl::Duration grace);

  // In the order of `addresses`, with the port that the kernel chose for a port of 0.
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  GrpcServer() = default;

  std::unique_ptr<grpc::Server> server_;
  std::vector<std::string> addresses_;
  std::vector<std::string> socket_paths_;
};

}  // namespace sluice::process

#endif  // SLUICE_PROCESS_GRPC_SERVER_H_
