// The daemon's end of the keeper: a Keeper over its socket, with one thread of its own for the socket. Starts the
// keeper when there is none, and comes back to it when the connection is lost. Made and called on the control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/runtime.h"
#include "planes/keeper/keeper.h"

namespace brume {

struct KeeperClientOptions {
  std::string run_directory, state_directory, cgroup;  // as in KeeperOptions
  // The program that becomes the keeper; the options follow it.
  std::vector<std::string> command = {"/proc/self/exe", "keep"};
  bool connects_at_once = true;  // false: when begin() is called, and requests wait for it
};

class KeeperClient : public Keeper {
 public:
  struct Connected {
    int pid = 0;         // the keeper's; 0: there is none, `error` says why
    bool fresh = false;  // another keeper than before: what ran under that one was ended, its exits are told as killed
    std::string error;
  };
  // Once, of a client that does not connect at once.
  virtual void begin() = 0;
  // After each attempt to connect. Requests that wait for a connection fail when an attempt does; the next attempt
  // comes a second later.
  virtual void on_connected(std::function<void(const Connected&)> callback) = 0;
  // Ends every child and the keeper, removes mounts and the instance's cgroups (`brume down`). No request is carried
  // out afterwards; when it is done nothing touches the instance's directories any more.
  virtual void shut_down(std::function<void()> done) = 0;
};

// Connects in the background. Destroying it leaves the keeper and its children as they are; `control` must
// still be there then.
std::unique_ptr<KeeperClient> make_keeper_client(KeeperClientOptions options, Control& control);

}  // namespace brume
