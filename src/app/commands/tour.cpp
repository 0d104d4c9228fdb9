// `brume tour`: runs the tour's script, which is built in and calls this program for every step.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "app/admin_client.h"
#include "app/commands/commands.h"
#include "app/instance.h"

namespace brume::embedded {
extern const std::string_view tour;  // systems/hello/tour.sh, by the build
}

namespace brume::app {

int run_tour(const std::string& state) {
  const Instance instance = find_instance(state_directory(state));
  ask_daemon(instance, "GET", "/status");  // says clearly when nothing is up
  const std::string script = instance.run + "/tour.sh";
  std::ofstream(script) << embedded::tour;
  setenv("BRUME", std::filesystem::read_symlink("/proc/self/exe").c_str(), 1);
  setenv("BRUME_STATE", instance.state.c_str(), 1);
  execlp("bash", "bash", script.c_str(), nullptr);
  throw std::runtime_error("cannot run bash");
}

}  // namespace brume::app
