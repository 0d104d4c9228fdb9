#include "planes/containers/runc_containers.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <utility>

#include "core/error.h"
#include "core/fault.h"
#include "core/log.h"
#include "planes/containers/blobs.h"
#include "planes/containers/program_error.h"
#include "planes/keeper/mounts.h"

namespace brume::containers {
namespace {

constexpr std::string_view kChildPrefix = "task/";
constexpr const char* kOwner = "containers";
constexpr std::uint64_t kExecOutputBytes = 4096;

const std::vector<std::string> kProgramEnvironment = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};

// Names become directories, cgroups and runc's ids.
bool is_name(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !text.empty() && text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string sandbox_of(const std::string& id) { return id.substr(0, id.find('/')); }
std::string name_of(const std::string& id) { return id.substr(id.find('/') + 1); }

std::string runc_id(const std::string& id) { return sandbox_of(id) + "." + name_of(id); }

void remove_tree(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) throw PlaneError(PlaneError::Kind::transient, "removing " + directory + ": " + error.message());
}

}  // namespace

RuncContainers::RuncContainers(ContainersOptions options, Keeper& keeper, Images& images, Workers& workers,
                               Control& control)
    : options_(std::move(options)),
      keeper_(keeper),
      images_(images),
      workers_(workers),
      control_(control),
      layout_(cgroup_layout()),
      disk_(options_.state_directory, options_.disk_interval, [this](const std::string& sandbox) {
        control_.post([this, alive = std::weak_ptr(alive_), sandbox] {
          if (!alive.expired()) end_overfull(sandbox);
        });
      }) {
  std::filesystem::create_directories(options_.state_directory + "/sandboxes");
  // A container's root is the machine's: what it writes (a program with the set-user-id bit) is for nobody else.
  std::filesystem::permissions(options_.state_directory, std::filesystem::perms::owner_all);
  // Bundles of certificates are made anew for this run's own; what containers have bound stays theirs.
  std::filesystem::remove_all(options_.state_directory + "/trust");
  keeper_.on_exit([this](const Child& child) {
    if (child.id.starts_with(kChildPrefix)) ended(child);
  });
}

std::string RuncContainers::sandbox_directory(const std::string& sandbox) const {
  return options_.state_directory + "/sandboxes/" + sandbox;
}
std::string RuncContainers::container_directory(const std::string& id) const {
  return sandbox_directory(sandbox_of(id)) + "/containers/" + name_of(id);
}
std::string RuncContainers::cgroup_of(const std::string& sandbox_or_container) const {
  return options_.cgroup + "/" + sandbox_or_container;
}
std::vector<std::string> RuncContainers::runc(std::vector<std::string> arguments, bool follows_clock) const {
  std::vector<std::string> command;
  if (follows_clock) {
    command = options_.follow_command;
    command.insert(command.end(), {options_.clock_page, kClockInside});
  }
  command.insert(command.end(), {"runc", "--root", options_.run_directory + "/runc"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

void RuncContainers::on_worker(std::function<void()> job, Done then) {
  auto error = std::make_shared<std::string>();  // shared: between the worker and the control thread, in turn
  workers_.run(
      [job = std::move(job), error] {
        try {
          job();
        } catch (const std::exception& failure) {
          *error = failure.what();
        }
      },
      [then = std::move(then), error] { then(*error); });
}

std::vector<std::string> RuncContainers::containers_of(const std::string& sandbox) const {
  std::vector<std::string> ids;
  for (const auto& [id, record] : containers_) {
    if (sandbox_of(id) == sandbox) ids.push_back(id);
  }
  return ids;
}

void RuncContainers::create_sandbox(SandboxSpec spec, Done done) {
  if (!is_name(spec.id)) {
    control_.post([done, id = spec.id] { done("\"" + id + "\" is not a sandbox's name"); });
    return;
  }
  on_worker(
      [this, spec] {
        std::filesystem::create_directories(sandbox_directory(spec.id) + "/containers");
        // For a container that a later daemon starts anew.
        write_file(sandbox_directory(spec.id) + "/hostname", spec.hostname);
        write_file(sandbox_directory(spec.id) + "/disk", std::to_string(spec.disk_bytes));
        write_limits(render_sandbox_limits(layout_, cgroup_of(spec.id), spec));
        fault_point("containers.sandbox.made");
      },
      [this, spec, done = std::move(done)](const std::string& failure) {
        if (failure.empty()) {
          sandboxes_[spec.id].hostname = spec.hostname;
          disk_.watch(spec.id, sandbox_directory(spec.id), spec.disk_bytes);
        }
        done(failure);
      });
}

void RuncContainers::start(ContainerSpec spec, std::function<void(Started)> done) {
  std::string error;
  const auto sandbox = sandboxes_.find(spec.sandbox);
  const auto existing = containers_.find(spec.id);
  if (sandbox_of(spec.id) != spec.sandbox || !is_name(name_of(spec.id))) {
    error = "\"" + spec.id + "\" is not a container's name in the sandbox " + spec.sandbox;
  } else if (sandbox == sandboxes_.end() || !sandbox->second.removing.empty()) {
    error = "There is no sandbox " + spec.sandbox;
  } else if (existing != containers_.end() && !is_idle(existing->second)) {
    error = "The container " + spec.id + " is running";
  }
  if (!error.empty()) {
    control_.post([done, error] { done({0, error}); });
    return;
  }
  const bool again = existing != containers_.end();
  Record record;
  record.state.id = spec.id;
  record.starting = true;
  containers_[spec.id] = std::move(record);
  const auto start = std::make_shared<Start>();
  start->spec = std::move(spec);
  start->done = std::move(done);
  if (!again) return prepare_image(start);
  keeper_.forget(std::string(kChildPrefix) + start->spec.id);
  clear_container(start->spec.id, [this, start](const std::string& failure) {
    start->error = failure;
    prepare_image(start);
  });
}

void RuncContainers::prepare_image(const StartStep& start) {
  if (!start->error.empty()) return start_failed(start);
  images_.prepare(start->spec.image, [this, start](std::optional<Image> image, std::string error) {
    if (!image) {
      start->error = std::move(error);
      return start_failed(start);
    }
    start->image = std::move(*image);
    make_files(start);
  });
}

void RuncContainers::make_files(const StartStep& start) {
  BundleInput input;
  input.spec = start->spec;
  input.image = start->image;
  for (const std::string& layer : start->image.layers) input.layers.push_back(images_.layer_path(layer));
  input.directory = container_directory(start->spec.id);
  input.hostname = sandboxes_.at(start->spec.sandbox).hostname;
  input.network_namespace = start->spec.network_namespace;
  input.cgroup = cgroup_of(start->spec.id);
  input.limit_swap = layout_.counts_swap;
  input.ca_bundle_path = options_.ca_bundle_path;
  input.trust_directory = options_.state_directory + "/trust";
  input.clock_page = options_.clock_page;
  on_worker([start, input = std::move(input)] { start->bundle = make_bundle(input); },
            [this, start](const std::string& error) {
              fault_point("containers.bundle.made");
              start->error = error;
              launch(start);
            });
}

// The mount and the spawn are asked for together, which saves a round trip: the keeper carries requests out in order,
// and where the mount fails its error is there before runc's.
void RuncContainers::launch(const StartStep& start) {
  const std::string& id = start->spec.id;
  if (start->error.empty() && containers_.at(id).stop_wanted) start->error = "It was stopped before it started";
  if (!start->error.empty()) return start_failed(start);
  keeper_.mount_overlay(start->bundle.overlay, [start](const std::string& error) { start->error = error; });
  SpawnSpec spec;
  spec.id = std::string(kChildPrefix) + id;
  spec.owner = kOwner;
  spec.arguments =
      runc({"run", "--detach", "--bundle", container_directory(id), "--pid-file", start->bundle.pid_file, runc_id(id)},
           start->spec.follows_clock);
  spec.environment = kProgramEnvironment;
  // runc itself stays outside the container's network namespace: it refuses its net.* sysctls as the host's otherwise.
  spec.pid_file = start->bundle.pid_file;
  keeper_.spawn(spec, [this, start](const Keeper::Spawned& spawned) {
    fault_point("containers.started");
    started(start, spawned);
  });
  fault_point("containers.launched");
}

void RuncContainers::started(const StartStep& start, const Keeper::Spawned& spawned) {
  if (spawned.pid == 0) {
    if (start->error.empty()) start->error = program_error(spawned.error);
    return start_failed(start);
  }
  const std::string& id = start->spec.id;
  Record& record = containers_.at(id);
  record.starting = false;
  record.state.pid = spawned.pid;
  record.state.running = true;
  record.stop_signal = start->bundle.stop_signal;
  record.follows_clock = start->spec.follows_clock;
  if (!start->error.empty()) {  // without its root it found a program all the same, on a volume
    start->done({0, start->error});
    return keeper_.signal(std::string(kChildPrefix) + id, SIGKILL);
  }
  start->done({spawned.pid, ""});
  if (!sandboxes_.at(start->spec.sandbox).removing.empty() || record.out_of_disk) {
    keeper_.signal(std::string(kChildPrefix) + id, SIGKILL);
  } else if (record.stop_wanted) {
    stop(id, 0);
  }
}

void RuncContainers::start_failed(const StartStep& start) {
  const std::string id = start->spec.id;
  clear_container(id, [this, start, id](const std::string& error) {
    if (!error.empty()) log::warning("containers", id + ": " + error);
    containers_.erase(id);
    start->done({0, start->error});
    continue_removal(start->spec.sandbox);
  });
}

void RuncContainers::clear_container(const std::string& id, Done done) {
  const std::string directory = container_directory(id);
  keeper_.unmount(root_of_bundle(directory), [this, id, directory, done = std::move(done)](const std::string& error) {
    if (!error.empty()) return done(error);
    on_worker(
        [this, id, directory] {
          keeper::remove_cgroup(cgroup_of(id));
          remove_tree(options_.run_directory + "/runc/" + runc_id(id));
          remove_tree(directory);
        },
        done);
  });
}

void RuncContainers::stop(const std::string& id, int grace_seconds) {
  const auto found = containers_.find(id);
  if (found == containers_.end()) return;
  Record& record = found->second;
  if (record.starting) record.stop_wanted = true;
  if (!record.state.running) return;
  keeper_.stop(std::string(kChildPrefix) + id, record.stop_signal, static_cast<std::int64_t>(grace_seconds) * 1000);
}

void RuncContainers::on_exit(std::function<void(const ContainerState&)> callback) {
  exit_callbacks_.push_back(std::move(callback));
}

void RuncContainers::ended(const Child& child) {
  fault_point("containers.ended");
  const std::string id = child.id.substr(kChildPrefix.size());
  const auto found = containers_.find(id);
  if (found == containers_.end()) {
    early_exits_[id] = child;  // recover() has not come to it yet
    return;
  }
  if (found->second.exit_told) return;
  found->second.exit_told = true;
  if (!found->second.state.running) return continue_removal(sandbox_of(id));  // recover() has told it
  auto killed = std::make_shared<bool>(false);
  on_worker([this, id, killed] { *killed = count_out_of_memory(layout_, cgroup_of(id)) > 0; },
            [this, id, killed, exit = child.exit](const std::string&) { tell_end(id, exit, *killed); });
}

// As the kernel ends who has no memory left: at once, since with every moment of grace it would write more.
void RuncContainers::end_overfull(const std::string& sandbox) {
  for (const std::string& id : containers_of(sandbox)) {
    Record& record = containers_.at(id);
    if (record.out_of_disk || (!record.state.running && !record.starting)) continue;
    log::warning("containers", id + " is killed: its sandbox has written " +
                                   std::to_string(disk_.used_bytes(sandbox) >> 20U) + " MiB to disk");
    record.out_of_disk = true;
    // One that starts may write already, though nobody has told yet that it runs.
    if (record.starting)
      record.stop_wanted = true;
    else
      keeper_.signal(std::string(kChildPrefix) + id, SIGKILL);
  }
}

void RuncContainers::tell_end(const std::string& id, const ExitStatus& exit, bool out_of_memory) {
  const auto found = containers_.find(id);
  if (found == containers_.end()) return;
  ContainerState& state = found->second.state;
  state.running = false;
  state.exit = exit;
  // The kernel may have killed another process of the container, and this one ended by itself.
  state.out_of_memory = out_of_memory && (exit.signal == SIGKILL || exit.code == 128 + SIGKILL);
  state.out_of_disk = found->second.out_of_disk && exit.signal == SIGKILL;
  const ContainerState told = state;
  for (std::size_t i = 0; i < exit_callbacks_.size(); ++i) exit_callbacks_[i](told);
  continue_removal(sandbox_of(id));
}

void RuncContainers::exec(const std::string& id, std::vector<std::string> command, int timeout_seconds,
                          std::function<void(ExecResult)> done) {
  const auto found = containers_.find(id);
  if (found == containers_.end() || !found->second.state.running) {
    control_.post([done] { done({-1, "the container is not running"}); });
    return;
  }
  const std::string pid_file = container_directory(id) + "/exec-" + std::to_string(++execs_);
  RunSpec spec;
  spec.arguments = runc({"exec", "--pid-file", pid_file, runc_id(id)}, found->second.follows_clock);
  spec.arguments.insert(spec.arguments.end(), command.begin(), command.end());
  spec.environment = kProgramEnvironment;
  spec.pid_file = pid_file;
  spec.timeout_ms = static_cast<std::int64_t>(timeout_seconds) * 1000;
  spec.output_limit_bytes = kExecOutputBytes;
  keeper_.run(spec, [done = std::move(done), pid_file](const RunResult& result) {
    std::error_code ignored;
    std::filesystem::remove(pid_file, ignored);
    ExecResult answer{result.code, result.out + result.err};
    if (!result.error.empty()) answer.output = result.error;
    answer.output.resize(std::min<std::size_t>(answer.output.size(), kExecOutputBytes));
    done(std::move(answer));
  });
}

void RuncContainers::usage(const std::string& id, std::function<void(Usage)> done) {
  auto usage = std::make_shared<Usage>();
  on_worker([this, id, usage] { *usage = read_usage(layout_, cgroup_of(id)); },
            [usage, done = std::move(done)](const std::string&) { done(*usage); });
}

std::string RuncContainers::volume_path(const std::string& sandbox, const std::string& volume) {
  if (!is_name(sandbox) || !is_name(volume)) {
    throw PlaneError(PlaneError::Kind::permanent, "\"" + volume + "\" is not a volume's name");
  }
  const std::string path = sandbox_directory(sandbox) + "/volumes/" + volume;
  std::filesystem::create_directories(path);
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  return path;
}

void RuncContainers::remove_sandbox(const std::string& id, Done done) {
  if (!is_name(id)) {
    control_.post([done] { done(""); });
    return;
  }
  sandboxes_[id].removing.push_back(std::move(done));
  if (sandboxes_[id].removing.size() > 1) return;
  for (const std::string& container : containers_of(id)) {
    Record& record = containers_.at(container);
    record.stop_wanted = true;
    if (record.state.running) keeper_.signal(std::string(kChildPrefix) + container, SIGKILL);
  }
  continue_removal(id);
}

// Goes on once every container has ended and its last line was told.
void RuncContainers::continue_removal(const std::string& sandbox) {
  const auto found = sandboxes_.find(sandbox);
  if (found == sandboxes_.end() || found->second.removing.empty()) return;
  const std::vector<std::string> ids = containers_of(sandbox);
  if (!std::ranges::all_of(ids, [&](const std::string& id) { return is_idle(containers_.at(id)); })) return;
  for (const std::string& id : ids) keeper_.forget(std::string(kChildPrefix) + id);
  finish_removal(sandbox);
}

void RuncContainers::finish_removal(const std::string& sandbox) {
  const std::vector<std::string> ids = containers_of(sandbox);
  for (const std::string& id : ids) containers_.erase(id);
  disk_.forget(sandbox);
  const auto finished = [this, sandbox](const std::string& error) {
    const auto node = sandboxes_.extract(sandbox);
    if (node.empty()) return;
    for (const Done& done : node.mapped().removing) done(error);
  };
  keeper_.unmount(sandbox_directory(sandbox), [this, sandbox, finished](const std::string& error) {
    fault_point("containers.unmounted");
    if (!error.empty()) return finished(error);
    on_worker(
        [this, sandbox] {
          keeper::remove_cgroup(cgroup_of(sandbox));
          const std::string states = options_.run_directory + "/runc";
          std::error_code none;
          for (std::filesystem::directory_iterator it(states, none), end; !none && it != end; it.increment(none)) {
            if (it->path().filename().string().starts_with(sandbox + ".")) remove_tree(it->path().string());
          }
          remove_tree(sandbox_directory(sandbox));
        },
        finished);
  });
}

}  // namespace brume::containers
