// For tests with real containers: an instance with its keeper, its image store, a network namespace and the plane.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/worker_pool.h"
#include "planes/containers/containers.h"
#include "planes/containers/test_image.h"
#include "planes/containers/test_target.h"
#include "planes/keeper/keeper_client.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume::testing {

// Why there can be no real containers here; "" when there can.
inline std::string no_containers_because() {
  if (::geteuid() != 0) return "runc's containers need root here";
  if (std::system("runc --version > /dev/null 2>&1") != 0) return "runc is not installed";
  if (target_program().empty()) return "no compiler links a static program";
  return "";
}

class TestWorld {
 public:
  TestWorld() {
    std::ofstream(instance.directory() + "/ca.pem") << "OUR AUTHORITY\n";
    connect();
  }
  TestWorld(const TestWorld&) = delete;
  TestWorld& operator=(const TestWorld&) = delete;
  ~TestWorld() {
    loop.await<bool>([&](auto done) { containers->remove_all([done] { done(true); }); });
    loop.await<bool>([&](auto done) { client->shut_down([done] { done(true); }); });
  }

  // A daemon: also the next one, after the first is gone.
  void connect() {
    containers.reset();
    images.reset();
    client.reset();
    lines.clear();
    exits.clear();
    client = make_keeper_client(instance.options(), loop);
    client->on_lines([this](const std::vector<Keeper::Line>& more) {
      for (const Keeper::Line& line : more) {
        lines[line.id].push_back(line.text);
        client->acknowledge(line.id, line.sequence);
      }
    });
    images =
        containers::make_images({instance.state_directory() + "/images", "", "", [](std::string_view) { return true; }},
                                *client, workers, loop);
    containers = containers::make_containers({.run_directory = instance.run_directory(),
                                              .state_directory = instance.state_directory() + "/containers",
                                              .cgroup = instance.cgroup(),
                                              .ca_bundle_path = instance.directory() + "/ca.pem",
                                              .disk_interval = std::chrono::milliseconds(20)},
                                             *client, *images, workers, loop);
    containers->on_exit([this](const containers::ContainerState& state) { exits[state.id] = state; });
  }
  // The digest of an image that holds the target as /bin/target.
  std::string image(const boost::json::object& settings = {}, std::vector<TarMember> more = {}) {
    const std::vector<TarMember> base = {tar_directory("bin"), tar_file("bin/target", target_program(), 0755)};
    return put_image(*images, make_image(instance.directory(), {base, std::move(more)}, settings));
  }
  // Of the sandbox t1; the command is the target's.
  containers::ContainerSpec container(std::vector<std::string> command, const std::string& name = "app") {
    containers::ContainerSpec spec;
    spec.id = "t1/" + name;
    spec.sandbox = "t1";
    spec.network_namespace = space.path();
    spec.image = image();
    spec.command = std::move(command);
    spec.command.insert(spec.command.begin(), "/bin/target");
    return spec;
  }

  TestInstance instance;
  TestLoop loop;
  WorkerPool workers{loop, 2};
  TestNamespace space{instance.directory() + "/ns"};
  std::unique_ptr<KeeperClient> client;
  std::unique_ptr<containers::Images> images;
  std::unique_ptr<containers::Containers> containers;
  std::map<std::string, std::vector<std::string>> lines;
  std::map<std::string, containers::ContainerState> exits;
};

}  // namespace brume::testing
