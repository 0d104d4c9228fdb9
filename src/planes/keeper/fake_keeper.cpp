#include "planes/keeper/fake_keeper.h"

#include <csignal>
#include <utility>

namespace brume {

FakeKeeper::Entry* FakeKeeper::living(const std::string& id) {
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.child.running ? &found->second : nullptr;
}

const SpawnSpec* FakeKeeper::spec(const std::string& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second.spec;
}

void FakeKeeper::spawn(SpawnSpec spec, std::function<void(Spawned)> done) {
  if (entries_.contains(spec.id)) {
    control_.post([done, id = spec.id] { done({0, "a child " + id + " is there already"}); });
    return;
  }
  const int pid = next_pid_++;
  entries_[spec.id] = {spec, {spec.id, spec.owner, pid, true, {}, ++now_ms_}};
  std::string error = on_spawn(spec);
  if (!error.empty()) entries_.erase(spec.id);
  control_.post([done, pid, error] { done({error.empty() ? pid : 0, error}); });
}

void FakeKeeper::signal(const std::string& id, int signal) {
  if (living(id) == nullptr) return;
  signals.emplace_back(id, signal);
  on_signal(id, signal);
}

void FakeKeeper::stop(const std::string& id, int signal, std::int64_t) {
  Entry* entry = living(id);
  if (entry == nullptr) return;
  entry->stopping = true;
  this->signal(id, signal);
}

void FakeKeeper::pass_grace() {
  for (auto& [id, entry] : entries_) {
    if (!entry.child.running || !std::exchange(entry.stopping, false)) continue;
    signals.emplace_back(id, SIGKILL);
    end_child(id, {0, SIGKILL, 0});
  }
}

void FakeKeeper::write_input(const std::string& id, std::string bytes) {
  if (living(id) != nullptr) on_input(id, bytes);
}

void FakeKeeper::forget(const std::string& id) {
  if (living(id) != nullptr || entries_.erase(id) == 0) return;
  lines_.erase(id);
  sequences_.erase(id);
}

void FakeKeeper::run(RunSpec spec, std::function<void(RunResult)> done) {
  runs.push_back(spec);
  control_.post([done, result = on_run(spec)] { done(result); });
}

void FakeKeeper::mount_overlay(OverlayMount mount, std::function<void(std::string error)> done) {
  std::string error = on_mount(mount);
  if (error.empty()) mounts[mount.target] = std::move(mount);
  control_.post([done, error] { done(error); });
}

void FakeKeeper::unmount(const std::string& path, std::function<void(std::string error)> done) {
  std::erase_if(mounts, [&](const auto& entry) { return entry.first == path || entry.first.starts_with(path + "/"); });
  control_.post([done] { done(""); });
}

void FakeKeeper::list(std::function<void(std::vector<Child>)> done) {
  std::vector<Child> children;
  for (const auto& [id, entry] : entries_) children.push_back(entry.child);
  control_.post([done, children] { done(children); });
}

void FakeKeeper::acknowledge(const std::string& id, std::uint64_t sequence) {
  acknowledged[id] = std::max(acknowledged[id], sequence);
  std::deque<Line>& lines = lines_[id];
  while (!lines.empty() && lines.front().sequence <= sequence) lines.pop_front();
}

void FakeKeeper::close_log_socket(const std::string& id) {
  log_sockets.erase(id);
  lines_.erase(id);
}

void FakeKeeper::write_line(const std::string& id, const std::string& text, Stream stream) {
  const Line line{id, stream, ++now_ms_, ++sequences_[id], text};
  lines_[id].push_back(line);
  tell_line(line);
}

void FakeKeeper::end_child(const std::string& id, ExitStatus exit) {
  Entry* entry = living(id);
  if (entry == nullptr) return;
  exit.at_ms = ++now_ms_;
  entry->child.running = false;
  entry->child.exit = exit;
  tell_exit(entry->child);
}

void FakeKeeper::tell_exit(const Child& child) {
  control_.post([callbacks = exit_callbacks_, child] {
    for (const auto& callback : callbacks) callback(child);
  });
}

void FakeKeeper::tell_line(const Line& line) {
  control_.post([callbacks = line_callbacks_, line] {
    for (const auto& callback : callbacks) callback({line});
  });
}

void FakeKeeper::reconnect() {
  exit_callbacks_.clear();
  line_callbacks_.clear();
  control_.post([this] {
    for (const auto& [id, lines] : lines_) {
      for (const Line& line : lines) tell_line(line);
    }
    for (const auto& [id, entry] : entries_) {
      if (!entry.child.running) tell_exit(entry.child);
    }
  });
}

}  // namespace brume
