// The containers plane after a restart of the daemon: what the keeper still knows is adopted, what it does not know any
// more is removed.
#include <filesystem>
#include <set>
#include <utility>

#include "core/log.h"
#include "core/text.h"
#include "planes/containers/blobs.h"
#include "planes/containers/runc_containers.h"

namespace brume::containers {
namespace {

constexpr std::string_view kChildPrefix = "task/";

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  return names;
}

}  // namespace

void RuncContainers::recover(std::function<void(std::vector<ContainerState>)> done) {
  keeper_.list([this, done = std::move(done)](const std::vector<Child>& children) { adopt(children, done); });
}

void RuncContainers::adopt(const std::vector<Child>& children, std::function<void(std::vector<ContainerState>)> done) {
  // Read from disk, shared between the worker and the control thread, in turn.
  struct Found {
    std::vector<ContainerState> states;
    std::map<std::string, int> stop_signals;
    std::set<std::string> following;               // the clock
    std::map<std::string, std::string> hostnames;  // by sandbox
    std::map<std::string, std::int64_t> disks;     // by sandbox: what it may write
    std::vector<std::string> leftovers;
  };
  auto found = std::make_shared<Found>();
  for (const Child& child : children) {
    if (!child.id.starts_with(kChildPrefix)) continue;
    const std::string id = child.id.substr(kChildPrefix.size());
    if (containers_.contains(id)) continue;
    found->states.push_back({id, child.pid, child.running, child.exit, false, false});
  }
  on_worker(
      [this, found] {
        std::set<std::string> alive;
        for (ContainerState& state : found->states) {
          alive.insert(state.id.substr(0, state.id.find('/')));
          found->stop_signals[state.id] = stop_signal_of_bundle(container_directory(state.id));
          if (follows_clock_of_bundle(container_directory(state.id))) found->following.insert(state.id);
          if (!state.running && state.exit.signal == 9) {
            state.out_of_memory = count_out_of_memory(layout_, cgroup_of(state.id)) > 0;
          }
        }
        for (const std::string& name : names_in(options_.state_directory + "/sandboxes")) {
          if (alive.contains(name)) {
            found->hostnames[name] = read_file(sandbox_directory(name) + "/hostname").value_or("");
            parse_int(read_file(sandbox_directory(name) + "/disk").value_or(""), found->disks[name]);
          } else {
            found->leftovers.push_back(name);
          }
        }
      },
      [this, found, done = std::move(done)](const std::string& error) {
        if (!error.empty()) log::error("containers", "recover: " + error);
        for (const ContainerState& state : found->states) {
          Record& record = containers_[state.id];
          record.state = state;
          record.stop_signal = found->stop_signals[state.id];
          record.follows_clock = found->following.contains(state.id);
        }
        for (const auto& [name, hostname] : found->hostnames) sandboxes_[name].hostname = hostname;
        for (const auto& [name, bytes] : found->disks)
          disk_.watch(name, sandbox_directory(name), static_cast<std::uint64_t>(bytes));
        for (const auto& [id, child] : std::exchange(early_exits_, {})) ended(child);
        remove_leftovers(found->leftovers, [found, done] { done(found->states); });
      });
}

// Sandboxes of a keeper that has died, or that had no container yet: nothing in them runs.
void RuncContainers::remove_leftovers(std::vector<std::string> sandboxes, std::function<void()> done) {
  std::erase_if(sandboxes, [this](const std::string& name) { return sandboxes_.contains(name); });
  if (sandboxes.empty()) return done();
  auto left = std::make_shared<std::size_t>(sandboxes.size());  // counted down by each removal
  for (const std::string& name : sandboxes) {
    remove_sandbox(name, [left, done, name](const std::string& error) {
      if (!error.empty()) log::error("containers", "leftover " + name + ": " + error);
      if (--*left == 0) done();
    });
  }
}

void RuncContainers::remove_all(std::function<void()> done) {
  std::vector<std::string> all = names_in(options_.state_directory + "/sandboxes");
  for (const auto& [name, sandbox] : sandboxes_) all.push_back(name);
  const std::set<std::string> names(all.begin(), all.end());
  if (names.empty()) return control_.post([done = std::move(done)] { done(); });
  auto left = std::make_shared<std::size_t>(names.size());  // counted down by each removal
  for (const std::string& name : names) {
    remove_sandbox(name, [left, done, name](const std::string& error) {
      if (!error.empty()) log::error("containers", "remove " + name + ": " + error);
      if (--*left == 0) done();
    });
  }
}

std::unique_ptr<Containers> make_containers(ContainersOptions options, Keeper& keeper, Images& images, Workers& workers,
                                            Control& control) {
  return std::make_unique<RuncContainers>(std::move(options), keeper, images, workers, control);
}

}  // namespace brume::containers
