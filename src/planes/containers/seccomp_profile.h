// The system calls that a container may make: the semantics of Docker's default profile (an allow list; some calls only
// with the capability that they need). Facts and a pure function.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace brume::containers {

// The runtime config's linux.seccomp for a container with these capabilities ("CAP_SYS_PTRACE").
boost::json::value seccomp_profile(const std::vector<std::string>& capabilities);

}  // namespace brume::containers
