#include "app/instance.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "core/fault.h"
#include "core/random.h"

namespace brume::app {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kIdDigits = 6;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string run_directory(const std::string& id) {
  if (geteuid() == 0) return "/run/brume/" + id;
  std::string base = environment("XDG_RUNTIME_DIR");
  if (base.empty()) base = "/tmp/brume-" + std::to_string(geteuid());
  return base + "/brume/" + id;
}

// Parents can be passed through, contents are the owner's only (DECISIONS 5).
void make_directory(const std::string& path, mode_t mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw std::runtime_error("cannot make " + path + ": " + error.message());
  if (chmod(path.c_str(), mode) != 0) throw std::runtime_error("cannot set the mode of " + path);
}

}  // namespace

std::string state_directory(const std::string& option) {
  std::string chosen = option;
  if (chosen.empty()) chosen = environment("BRUME_STATE");
  if (chosen.empty() && geteuid() == 0) chosen = "/var/lib/brume";
  if (chosen.empty()) {
    std::string base = environment("XDG_STATE_HOME");
    if (base.empty()) base = environment("HOME") + "/.local/state";
    chosen = base + "/brume";
  }
  return fs::absolute(chosen).lexically_normal().string();
}

Instance find_instance(const std::string& state) {
  std::ifstream file(state + "/id");
  std::string id;
  if (!file) throw std::runtime_error("there is no cloud in " + state + " (brume up makes one)");
  file >> id;
  // It names directories, namespaces and cgroups that are made and removed.
  if (id.size() != kIdDigits || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw std::runtime_error("the id of the cloud in " + state +
                             " is damaged: put its six hex digits back, or move the directory away and start anew");
  return {state, id, run_directory(id)};
}

Instance open_instance(const std::string& state) {
  make_directory(state, 0711);
  if (!fs::exists(state + "/id")) {
    std::string id = system_random()->hex(kIdDigits);
    // Written beside and renamed, so that an id file is whole or absent.
    std::ofstream(state + "/id.new") << id << '\n';
    fs::rename(state + "/id.new", state + "/id");
    fault_point("instance.named");
  }
  Instance instance = find_instance(state);
  make_directory(instance.run, 0711);
  // What a container's root writes may be a program with the set-user-id bit: nobody else may come near it.
  for (const std::string& path : {instance.store(), instance.spool(), instance.objects(), instance.images(),
                                  instance.state + "/containers", instance.state + "/keeper"})
    make_directory(path, 0700);
  make_directory(instance.authority(), 0711);
  return instance;
}

}  // namespace brume::app
