// The daemon: makes everything, wires it, starts it in order, and ends when it is told to.
#pragma once

#include <functional>
#include <string>

#include "app/commands/commands.h"
#include "app/instance.h"

namespace brume::app {

// Runs until SIGINT, SIGTERM or a request to end. `started` is called once: with an empty text when the cloud serves,
// else with why it cannot. What runs in the cloud goes on when the daemon ends.
int run_daemon(const UpOptions& options, const Instance& instance,
               const std::function<void(const std::string&)>& started);

// `brume down`: ends the daemon if there is one, then everything that runs: processes, namespaces, mounts, cgroups.
void stop_instance(const Instance& instance);

}  // namespace brume::app
