#include "process/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sluice::process {
namespace {

constexpr absl::string_view kUnix = "unix:";

// Whether somebody accepts connections on the socket at `path`.
bool IsAnswered(const std::string& path) {
  const int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (handle < 0) return false;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const bool answered = connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(handle);
  return answered;
}

absl::Status MakeRoom(const std::string& path) {
  struct stat found;
  const std::string folder = path.substr(0, path.rfind('/'));
  if (!folder.empty() && stat(folder.c_str(), &found) != 0) {
    return absl::NotFoundError(
        absl::StrCat("cannot listen on unix:", path, ": there is no folder ", folder, "; create it"));
  }
  if (lstat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return absl::AlreadyExistsError(
        absl::StrCat("cannot listen on unix:", path, ": a file that is no socket stands there; move it away"));
  }
  if (IsAnswered(path)) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen on unix:", path,
                                                 ": another process serves there; stop it or choose another address"));
  }
  if (unlink(path.c_str()) != 0) {
    return absl::PermissionDeniedError(absl::StrCat("cannot remove the old socket ", path, ": ", std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const std::vector<std::string>& addresses,
                                                              const std::vector<grpc::Service*>& services) {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
  auto out = std::unique_ptr<GrpcServer>(new GrpcServer());
  grpc::ServerBuilder builder;
  // Two processes on one TCP port would each get half of the clients.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  std::vector<int> ports(addresses.size(), 0);
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (absl::StartsWith(addresses[i], kUnix)) {
      const std::string path = addresses[i].substr(kUnix.size());
      if (absl::Status status = MakeRoom(path); !status.ok()) return status;
      out->socket_paths_.push_back(path);
    }
    builder.AddListeningPort(addresses[i], grpc::InsecureServerCredentials(), &ports[i]);
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  out->server_ = builder.BuildAndStart();
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (out->server_ == nullptr || ports[i] == 0) {
      out->socket_paths_.clear();
      return absl::AlreadyExistsError(absl::StrCat("cannot listen on ", addresses[i],
                                                   ": the address is held by another process or is not one "
                                                   "of this host's"));
    }
    const bool chosen = !absl::StartsWith(addresses[i], kUnix) && absl::EndsWith(addresses[i], ":0");
    out->addresses_.push_back(chosen ? absl::StrCat(addresses[i].substr(0, addresses[i].size() - 1), ports[i])
                                     : addresses[i]);
  }
  return out;
}

GrpcServer::~GrpcServer() { Stop(absl::Seconds(1)); }

void GrpcServer::SetServing(const std::string& service, bool serving) {
  if (server_ == nullptr) return;
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  if (service.empty()) {
    health->SetServingStatus(serving);
  } else {
    health->SetServingStatus(service, serving);
  }
}

void GrpcServer::Stop(absl::Duration grace) {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  server_->Wait();
  server_.reset();
  for (const std::string& path : socket_paths_) unlink(path.c_str());
  socket_paths_.clear();
}

}  // namespace sluice::process
