// The keeper's own side: the process `brume keep`. Single-threaded; the store is never opened here.
#pragma once

#include <string>

namespace brume {

struct KeeperOptions {
  std::string run_directory;    // keeper.sock, keeper.lock and the pids of children
  std::string state_directory;  // keeper.log and spools
  std::string cgroup;           // the instance's, inside every hierarchy: "/brume/0a1b2c". Removed at the end
};

// Returns in the foreground once the keeper serves in the background (0), or with the reason on standard error that it
// could not (1). When one serves already, that is no error.
int keeper_main(const KeeperOptions& options);
// Reads `--run DIR --state DIR [--cgroup PATH]`, what follows `brume keep`.
int keeper_main(int count, const char* const* arguments);

inline std::string keeper_socket_path(const std::string& run_directory) { return run_directory + "/keeper.sock"; }

}  // namespace brume
