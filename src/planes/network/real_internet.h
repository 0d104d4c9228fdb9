// slirp4netns, the internet namespace's way to the real internet: started by the keeper in the host's network
// namespace, the one process of Brume's there besides the daemon. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "planes/keeper/keeper.h"
#include "planes/network/network.h"

namespace brume::network {

class RealInternet {
 public:
  // `wait_for_tap` answers when the tap carries the default route, or why it does not within its deadline.
  RealInternet(Keeper& keeper, std::string namespace_path, std::function<void(Done)> wait_for_tap);
  // What is under way is not answered any more. slirp4netns stays.
  ~RealInternet();
  RealInternet(const RealInternet&) = delete;
  RealInternet& operator=(const RealInternet&) = delete;

  void enable(Done done);
  void disable(Done done);

 private:
  // Shared with callbacks that the keeper keeps for as long as it lives.
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace brume::network
