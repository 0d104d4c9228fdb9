#include "planes/containers/fake_containers.h"

#include <csignal>
#include <utility>

namespace brume::containers {

void FakeContainers::recover(std::function<void(std::vector<ContainerState>)> done) {
  std::vector<ContainerState> all;
  for (const auto& [id, state] : states) all.push_back(state);
  control_.post([done, all] { done(all); });
}

void FakeContainers::create_sandbox(SandboxSpec spec, std::function<void(std::string error)> done) {
  const bool valid = !spec.id.empty() && spec.id.find_first_of("/. ") == std::string::npos;
  std::string error;
  if (valid) {
    sandboxes[spec.id] = spec;
  } else {
    error = "\"" + spec.id + "\" is not a sandbox's name";
  }
  control_.post([done, error] { done(error); });
}

void FakeContainers::start(ContainerSpec spec, std::function<void(Started)> done) {
  Started started;
  const auto existing = states.find(spec.id);
  if (!sandboxes.contains(spec.sandbox)) {
    started.error = "There is no sandbox " + spec.sandbox;
  } else if (!spec.id.starts_with(spec.sandbox + "/")) {
    started.error = "\"" + spec.id + "\" is not a container's name in the sandbox " + spec.sandbox;
  } else if (existing != states.end() && existing->second.running) {
    started.error = "The container " + spec.id + " is running";
  } else {
    started.pid = next_pid_++;
    specs[spec.id] = spec;
    states[spec.id] = {spec.id, started.pid, true, {}, false, false};
    // Posted before what the program does, so that its end is told after its start.
    const auto told = std::make_shared<Started>(started);  // shared: the program's failure changes it
    control_.post([done, told] { done(*told); });
    told->error = on_start(spec);
    if (told->error.empty()) return;
    told->pid = 0;
    states.erase(spec.id);
    specs.erase(spec.id);
    return;
  }
  control_.post([done, started] { done(started); });
}

void FakeContainers::stop(const std::string& id, int grace_seconds) {
  const auto found = states.find(id);
  if (found != states.end() && found->second.running) on_stop(id, grace_seconds);
}

void FakeContainers::end(const std::string& id, ExitStatus exit, bool out_of_memory, bool out_of_disk) {
  const auto found = states.find(id);
  if (found == states.end() || !found->second.running) return;
  exit.at_ms = ++now_ms_;
  found->second.running = false;
  found->second.exit = exit;
  found->second.out_of_memory = out_of_memory;
  found->second.out_of_disk = out_of_disk;
  control_.post([callbacks = exit_callbacks_, state = found->second] {
    for (const auto& callback : callbacks) callback(state);
  });
}

void FakeContainers::remove_sandbox(const std::string& id, std::function<void(std::string error)> done) {
  for (auto state = states.begin(); state != states.end();) {
    const auto current = state++;
    if (!current->first.starts_with(id + "/")) continue;
    end(current->first, {0, SIGKILL, 0});
    specs.erase(current->first);
    states.erase(current);
  }
  sandboxes.erase(id);
  control_.post([done] { done(""); });
}

void FakeContainers::exec(const std::string& id, std::vector<std::string> command, int,
                          std::function<void(ExecResult)> done) {
  const auto found = states.find(id);
  const bool running = found != states.end() && found->second.running;
  const ExecResult result = running ? on_exec(id, command) : ExecResult{-1, "the container is not running"};
  control_.post([done, result] { done(result); });
}

void FakeContainers::usage(const std::string& id, std::function<void(Usage)> done) {
  control_.post([done, usage = usages[id]] { done(usage); });
}

std::string FakeContainers::volume_path(const std::string& sandbox, const std::string& volume) {
  return "/volumes/" + sandbox + "/" + volume;
}

void FakeContainers::remove_all(std::function<void()> done) {
  while (!sandboxes.empty()) remove_sandbox(std::string(sandboxes.begin()->first), [](const std::string&) {});
  control_.post([done] { done(); });
}

void FakeContainers::reconnect() { exit_callbacks_.clear(); }

}  // namespace brume::containers
