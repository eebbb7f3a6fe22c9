// sluicectl: shows and steers a controller and a relay over their gRPC services.
//
//   sluicectl [--controller ADDRESS] [--relay ADDRESS] [-o table|json|csv] COMMAND [ARGUMENT ...]
//
// Tables are for people; `-o json` is the answer's protobuf JSON. An error is one line on `err`. Exit status: 0 done, 1
// a process refused or is not there, 2 wrong use.
#ifndef SLUICE_CLI_SLUICECTL_H_
#define SLUICE_CLI_SLUICECTL_H_

#include <ostream>
#include <string>
#include <vector>

namespace sluice::cli {

// `arguments` without the program's name. Addresses that are not given come from SLUICE_CONTROLLER and SLUICE_RELAY,
// else they are the UNIX sockets under /run/sluice.
int RunSluicectl(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SLUICECTL_H_
