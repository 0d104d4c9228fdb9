// For tests: directories of an instance of its own, removed at the end, and a keeper that is the test program itself
// started as `TEST keep …` (see main_test.cpp).
#pragma once

#include <string>

#include "core/testing.h"
#include "planes/keeper/keeper_client.h"
#include "planes/keeper/keeper_process.h"

namespace brume::testing {

class TestInstance {
 public:
  const std::string& directory() const { return directory_.path(); }
  std::string run_directory() const { return directory() + "/run"; }
  std::string state_directory() const { return directory() + "/state"; }
  // Six letters of its own, as an instance's id.
  std::string id() const { return directory().substr(directory().size() - 6); }
  std::string cgroup() const { return "/brume/test-" + id(); }
  KeeperClientOptions options() const {
    return {run_directory(), state_directory() + "/keeper", cgroup(), {"/proc/self/exe", "keep"}};
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace brume::testing
