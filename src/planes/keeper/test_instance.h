// For tests: directories of an instance of its own, removed at the end, and a keeper that is the test program itself
// started as `TEST keep …` (see main_test.cpp).
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "planes/keeper/keeper_client.h"
#include "planes/keeper/keeper_process.h"

namespace brume::testing {

class TestInstance {
 public:
  TestInstance() {
    std::string pattern = "/tmp/brume-test-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  TestInstance(const TestInstance&) = delete;
  TestInstance& operator=(const TestInstance&) = delete;
  ~TestInstance() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  const std::string& directory() const { return directory_; }
  std::string run_directory() const { return directory_ + "/run"; }
  std::string state_directory() const { return directory_ + "/state"; }
  // Six letters of its own, as an instance's id.
  std::string id() const { return directory_.substr(directory_.size() - 6); }
  std::string cgroup() const { return "/brume/test-" + id(); }
  KeeperClientOptions options() const {
    return {run_directory(), state_directory() + "/keeper", cgroup(), {"/proc/self/exe", "keep"}};
  }

 private:
  std::string directory_;
};

}  // namespace brume::testing
