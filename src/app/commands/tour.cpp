// `brume tour`: runs the tour's script, which is built in, inside the cloud.
#include <fstream>
#include <stdexcept>

#include "app/admin_client.h"
#include "app/commands/commands.h"
#include "app/instance.h"
#include "app/internet.h"

namespace brume::embedded {
extern const std::string_view tour;  // systems/hello/tour.sh, by the build
}

namespace brume::app {

int run_tour(const std::string& state) {
  const Instance instance = find_instance(state_directory(state));
  if (!admin_call(instance, "GET", "/status"))
    throw std::runtime_error("no cloud is up in " + instance.state + " (brume up)");
  const std::string script = instance.run + "/tour.sh";
  std::ofstream(script) << embedded::tour;
  enter_internet(instance, {.command = {"/bin/bash", script}});
}

}  // namespace brume::app
