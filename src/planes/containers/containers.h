// The containers plane: an image's layers under an overlay, run by runc in a network namespace that exists already,
// with cgroup limits. Containers are children of the keeper and outlive the daemon. Callbacks come on the control
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime.h"
#include "planes/containers/images.h"
#include "planes/keeper/keeper.h"

namespace brume::containers {

struct Mount {
  enum class Kind { bind, tmpfs } kind = Kind::bind;
  std::string source;       // for bind: a host path made by the plane (see volume_path)
  std::string destination;  // inside the container
  bool read_only = false;
  std::int64_t size_bytes = 0;  // tmpfs
  std::vector<std::string> options;
  bool operator==(const Mount&) const = default;
};

struct Ulimit {
  std::string name;  // "nofile"
  std::int64_t soft = 0, hard = 0;
  bool operator==(const Ulimit&) const = default;
};

// The limits that all containers of one task share.
struct SandboxSpec {
  std::string id;  // the task's id: also the parent cgroup's name
  std::string hostname;
  std::int64_t memory_bytes = 0;  // 0: none
  int cpu_units = 0;              // 1024 is one vCPU, enforced as a quota; 0: none
  // What its containers may write to their own layers and its volumes; 0: as much as there is. Measured: whoever is
  // over it is killed (docs/decisions/0041).
  std::uint64_t disk_bytes = 0;
};

struct ContainerSpec {
  std::string id;       // "TASK/NAME"; the keeper child's id is "task/" + id
  std::string sandbox;  // SandboxSpec::id
  std::string network_namespace;
  std::string image;  // a digest that the image store holds: "sha256:…" of the image's manifest
  std::vector<std::string> entry_point, command;   // override the image's when not empty
  std::map<std::string, std::string> environment;  // over the image's
  std::string directory, user;                     // override the image's when not empty
  std::int64_t memory_bytes = 0;                   // hard limit
  int cpu_shares = 0;
  std::vector<Mount> mounts;
  std::vector<Ulimit> ulimits;
  std::vector<std::pair<std::string, std::string>> hosts;  // extra /etc/hosts lines: name, address
  std::vector<std::string> dns_servers;
  std::vector<std::string> dns_search;
  bool read_only_root = false, privileged = false, init_process = false;
  std::vector<std::string> add_capabilities, drop_capabilities;
  std::map<std::string, std::string> sysctls;
  bool follows_clock = false;  // its programs' clocks are the cloud's
};

struct ContainerState {
  std::string id;
  int pid = 0;
  bool running = false;
  ExitStatus exit;
  bool out_of_memory = false;
  bool out_of_disk = false;  // killed because its sandbox wrote more than it may
};

struct Usage {
  std::uint64_t cpu_ns = 0, memory_bytes = 0, memory_limit_bytes = 0;
};

class Containers {
 public:
  virtual ~Containers() = default;

  // What an earlier daemon left, running or ended meanwhile.
  virtual void recover(std::function<void(std::vector<ContainerState>)> done) = 0;

  virtual void create_sandbox(SandboxSpec spec, std::function<void(std::string error)> done) = 0;
  // Removes its containers, cgroups, mounts and directories; all must have ended or are killed.
  virtual void remove_sandbox(const std::string& id, std::function<void(std::string error)> done) = 0;

  struct Started {
    int pid = 0;
    std::string error;  // why it could not be started ("exec: \"/app\": no such file or directory")
  };
  virtual void start(ContainerSpec spec, std::function<void(Started)> done) = 0;
  // SIGTERM (or the image's StopSignal), then SIGKILL after `grace_seconds`. The end comes through on_exit.
  virtual void stop(const std::string& id, int grace_seconds) = 0;
  virtual void on_exit(std::function<void(const ContainerState&)> callback) = 0;

  struct ExecResult {
    int code = -1;       // -1: it could not be run or timed out
    std::string output;  // at most 4 KiB
  };
  // Runs a command inside a running container (health checks).
  virtual void exec(const std::string& id, std::vector<std::string> command, int timeout_seconds,
                    std::function<void(ExecResult)> done) = 0;

  virtual void usage(const std::string& id, std::function<void(Usage)> done) = 0;
  // What the sandbox's containers have written to disk, as of the last look at it.
  virtual std::uint64_t disk_usage(const std::string& sandbox) const = 0;
  // A directory that belongs to the sandbox, for volumes shared by its containers. Made when absent.
  virtual std::string volume_path(const std::string& sandbox, const std::string& volume) = 0;

  virtual void remove_all(std::function<void()> done) = 0;
};

struct ContainersOptions {
  std::string run_directory;    // runc's state goes here
  std::string state_directory;  // STATE/containers
  std::string cgroup;           // the instance's, as KeeperClientOptions has it: "/brume/0a1b2c"
  // PEM certificates that clients inside containers trust: the public roots and this cloud's authority. Shown at a
  // path that the usual variables (SSL_CERT_FILE and its like) name, and added to the image's own bundle.
  std::string ca_bundle_path;
  // The cloud's clock, and what runs before runc when a container follows it (planes/time/launcher.h, follow_main).
  std::string clock_page;
  std::vector<std::string> follow_command = {"/proc/self/exe", "follow"};
  std::chrono::milliseconds disk_interval{2000};  // between looks at what was written
};
// On the control thread. Outlives its workers' jobs. Every container gets an explicit network namespace; the host's is
// refused.
std::unique_ptr<Containers> make_containers(ContainersOptions options, Keeper& keeper, Images& images, Workers& workers,
                                            Control& control);

}  // namespace brume::containers
