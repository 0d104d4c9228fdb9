// `brume exec`: a tool starts inside the internet namespace, where every AWS host name is this cloud. Runs in the
// command's own process, before any thread exists; it ends in exec and does not return on success.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/instance.h"

namespace brume::app {

struct EnterOptions {
  std::vector<std::string> command;
  bool follow_clock = false;
};

// Throws std::runtime_error when the namespace cannot be entered or the command not be started.
[[noreturn]] void enter_internet(const Instance& instance, const EnterOptions& options);

// The variables that make every common client trust this cloud's CA and find its credentials (PLANES section 1). Values
// that are there and name the user's own credentials stay. `bundle`: the merged CA bundle; `ca`: the CA alone.
std::map<std::string, std::string> tool_environment(const std::map<std::string, std::string>& present,
                                                    const std::string& bundle, const std::string& ca);

}  // namespace brume::app
