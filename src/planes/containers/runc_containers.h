// The containers plane with runc: which containers and sandboxes there are, and what each of the contract's verbs does
// with the keeper, the image store and the disk, step by step. Control thread; the steps that touch files run on
// workers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "planes/containers/bundle.h"
#include "planes/containers/cgroup_limits.h"
#include "planes/containers/containers.h"
#include "planes/containers/disk_watch.h"

namespace brume::containers {

class RuncContainers final : public Containers {
 public:
  RuncContainers(ContainersOptions options, Keeper& keeper, Images& images, Workers& workers, Control& control);

  void recover(std::function<void(std::vector<ContainerState>)> done) override;
  void create_sandbox(SandboxSpec spec, std::function<void(std::string error)> done) override;
  void remove_sandbox(const std::string& id, std::function<void(std::string error)> done) override;
  void start(ContainerSpec spec, std::function<void(Started)> done) override;
  void stop(const std::string& id, int grace_seconds) override;
  void on_exit(std::function<void(const ContainerState&)> callback) override;
  void exec(const std::string& id, std::vector<std::string> command, int timeout_seconds,
            std::function<void(ExecResult)> done) override;
  void usage(const std::string& id, std::function<void(Usage)> done) override;
  std::uint64_t disk_usage(const std::string& sandbox) const override { return disk_.used_bytes(sandbox); }
  std::string volume_path(const std::string& sandbox, const std::string& volume) override;
  void remove_all(std::function<void()> done) override;

 private:
  using Done = std::function<void(std::string error)>;

  struct Record {
    ContainerState state;
    int stop_signal = 15;
    bool follows_clock = false;
    bool starting = false;
    bool stop_wanted = false;  // while starting
    bool out_of_disk = false;  // it is being killed for that
    // The keeper has told the exit, and so every line before it: only then may it forget them.
    bool exit_told = false;
  };
  struct Sandbox {
    std::string hostname;
    std::vector<Done> removing;  // who waits for its removal
  };
  // What a start carries from step to step.
  struct Start {
    ContainerSpec spec;
    Image image;
    Bundle bundle;
    std::string error;
    std::function<void(Started)> done;
  };
  using StartStep = std::shared_ptr<Start>;  // shared by the step's callbacks, of which one is alive at a time

  void prepare_image(const StartStep& start);
  void make_files(const StartStep& start);
  void launch(const StartStep& start);
  void started(const StartStep& start, const Keeper::Spawned& spawned);
  void start_failed(const StartStep& start);
  // Removes what a container leaves: mount, cgroup, runc's state, directory.
  void clear_container(const std::string& id, Done done);

  void ended(const Child& child);
  void end_overfull(const std::string& sandbox);
  void tell_end(const std::string& id, const ExitStatus& exit, bool out_of_memory);
  void adopt(const std::vector<Child>& children, std::function<void(std::vector<ContainerState>)> done);
  void remove_leftovers(std::vector<std::string> sandboxes, std::function<void()> done);
  void continue_removal(const std::string& sandbox);
  void finish_removal(const std::string& sandbox);

  std::vector<std::string> containers_of(const std::string& sandbox) const;
  bool is_idle(const Record& record) const { return !record.starting && !record.state.running && record.exit_told; }
  std::string sandbox_directory(const std::string& sandbox) const;
  std::string container_directory(const std::string& id) const;
  std::string cgroup_of(const std::string& sandbox_or_container) const;
  std::vector<std::string> runc(std::vector<std::string> arguments, bool follows_clock) const;
  // Runs the job on a worker; `then` gets the text of the PlaneError that it threw, or "".
  void on_worker(std::function<void()> job, Done then);

  const ContainersOptions options_;
  Keeper& keeper_;
  Images& images_;
  Workers& workers_;
  Control& control_;
  const CgroupLayout layout_;
  std::map<std::string, Record> containers_;
  std::map<std::string, Sandbox> sandboxes_;
  std::map<std::string, Child> early_exits_;  // told before recover() knew the container
  std::vector<std::function<void(const ContainerState&)>> exit_callbacks_;
  std::uint64_t execs_ = 0;
  // What the watch posts holds it weakly: when the plane is gone it does nothing.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  DiskWatch disk_;  // last: its thread uses the others
};

}  // namespace brume::containers
