// The pids of living children, as files in the run directory: should the keeper itself be killed, the next one ends
// what it left, since nobody could tell their exits any more.
#pragma once

#include <sys/types.h>

#include <string>

namespace brume::keeper {

class Registry {
 public:
  explicit Registry(std::string directory);
  void add(pid_t pid);
  void remove(pid_t pid);
  // Kills the processes that an earlier keeper wrote down, if they still are the same ones. How many there were.
  int kill_leftovers();

 private:
  std::string path(pid_t pid) const;
  std::string directory_;
};

}  // namespace brume::keeper
