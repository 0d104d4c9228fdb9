// The daemon or the keeper, seen from the command that ends it: the process, and the programs that it runs itself. Used
// by one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

#include "planes/network/descriptor.h"

namespace brume::app {

class EndingProcess {
 public:
  explicit EndingProcess(pid_t pid);

  // After it was told to end. False: something of it is still there after that long.
  bool wait_for_end(std::chrono::milliseconds longest);

 private:
  std::vector<network::Descriptor> processes_;
};

}  // namespace brume::app
