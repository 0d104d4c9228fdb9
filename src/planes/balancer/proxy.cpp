#include "planes/balancer/proxy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/system.h"
#include "planes/balancer/runtime.h"

namespace brume::balancer {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartDeadline = 10s, kMostSilence = 10s;
constexpr auto kFreshLook = 50ms, kQuickLook = 250ms, kSlowLook = 1000ms, kShapeLook = 5ms;
constexpr auto kReloadPatience = 100ms, kEndPatience = 1000ms;
constexpr auto kRestartPause = 1s;
constexpr std::size_t kMostWarnings = 4096;

// Written beside and renamed: HAProxy may be reading the old one. Only its user may read it (certificates' keys).
void write_file(const std::string& path, const std::string& text, const HaproxyOptions& options) {
  if (read_file(path) == text && std::filesystem::exists(path)) return;
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    ::chmod(fresh.c_str(), 0600);
    file << text;
    if (!file.flush()) throw_errno("writing " + fresh);
  }
  if (::geteuid() == 0 && ::chown(fresh.c_str(), options.uid, options.gid) != 0) throw_errno("chown " + fresh);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) throw_errno("writing " + path);
}

std::int64_t milliseconds_of(Proxy::Moment moment) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(moment.time_since_epoch()).count();
}

bool is_alert(const std::string& line) { return line.starts_with("[ALERT]"); }

}  // namespace

Proxy::Proxy(std::string id, const HaproxyOptions& options, ProxyHost& host)
    : id_(std::move(id)), options_(options), host_(host), directory_(options.directory + "/" + id_) {}

void Proxy::want(LoadBalancer desired, Done done) {
  forget_former_registrations(desired);
  desired_ = std::move(desired);
  waiting_.push_back(std::move(done));
  desired_shape_.clear();
  refused_shape_.clear();
  retry_at_ = {};
}

// Who registered a target anew knows nothing of its health, and it may have come back before any look saw it gone.
void Proxy::forget_former_registrations(const LoadBalancer& desired) {
  std::map<TargetKey, std::string> former;
  if (desired_)
    for (const TargetGroup& group : desired_->groups)
      for (const Target& target : group.targets) former[{group.id, target.id}] = target.registration;
  for (const TargetGroup& group : desired.groups)
    for (const Target& target : group.targets) {
      const auto found = former.find({group.id, target.id});
      if (found == former.end() || found->second != target.registration) told_.erase({group.id, target.id});
    }
}

void Proxy::remove(Done done) {
  removing_.push_back(std::move(done));
  desired_.reset();
  fail("the load balancer is being removed");
}

void Proxy::adopt() {
  phase_ = Phase::serving;
  answered_at_ = std::chrono::steady_clock::now();
  shape_.clear();
}

void Proxy::started(const std::string& error) {
  if (phase_ != Phase::spawning) return;
  if (error.empty()) {
    phase_ = Phase::starting;
    return;
  }
  phase_ = Phase::absent;
  retry_at_ = std::chrono::steady_clock::now() + kRestartPause;
  fail("HAProxy could not be started: " + error);
}

void Proxy::exited(const std::string& how) {
  if (phase_ == Phase::gone) return;
  host_.forget(id_);
  shape_.clear();
  connections_.clear();
  const bool wanted = phase_ != Phase::stopping;
  const bool served = phase_ == Phase::serving || phase_ == Phase::reloading;
  phase_ = Phase::absent;
  if (!wanted) return;
  log::warning("balancer", id_ + ": HAProxy " + how + (warnings_.empty() ? "" : ": " + warnings_));
  const auto now = std::chrono::steady_clock::now();
  // At once when it served, after a pause when it does not come up or dies over and over.
  retry_at_ = served && now - started_at_ > kRestartPause ? now : now + kRestartPause;
  fail("HAProxy " + how + (warnings_.empty() ? "" : ": " + warnings_));
}

void Proxy::warned(const std::string& line) {
  log::debug("balancer", id_ + ": " + line);
  if (is_alert(line) && warnings_.size() < kMostWarnings) warnings_ += (warnings_.empty() ? "" : "; ") + line;
  if (line.find("Reloading HAProxy") != std::string::npos) reload_heard_ = true;
  if (const std::size_t name = line.find("Proxy l."), end = line.find(" stopped");
      end != std::string::npos && name < end)
    ending_.erase(line.substr(name + 6, end - name - 6));
  // The master goes on with the old worker then.
  if (line.find("Loading failure!") == std::string::npos || phase_ != Phase::reloading) return;
  phase_ = Phase::serving;
  refused_shape_ = coming_shape_;
  fail("HAProxy refused its configuration: " + warnings_);
}

Proxy::Moment Proxy::tick(Moment now) {
  switch (phase_) {
    case Phase::absent:
      if (!removing_.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
        // The keeper takes its log socket out of it at the same time, which makes remove_all stumble.
        if (std::filesystem::exists(directory_, ignored)) return now + kShapeLook;
        for (Done& done : std::exchange(removing_, {})) host_.finish(std::move(done), "");
        observed_.clear();
        memories_.clear();
        told_.clear();
        if (!desired_) phase_ = Phase::gone;  // else it was wanted again meanwhile
      }
      if (!desired_) return Moment::max();
      if (now < retry_at_) return retry_at_;
      start(now);
      return Moment::max();  // the keeper answers
    case Phase::spawning:
    case Phase::gone:
      return Moment::max();
    case Phase::starting:
    case Phase::reloading:
      await_shape(now);
      return now + (phase_ == Phase::serving ? 0ms : kShapeLook);
    case Phase::stopping:
      return Moment::max();
    case Phase::serving:
      if (!removing_.empty()) {
        phase_ = Phase::stopping;
        host_.stop(id_);
        return Moment::max();
      }
      look(now);
      return phase_ == Phase::serving ? deadline_ : now;
  }
  return Moment::max();
}

void Proxy::start(Moment now) {
  try {
    std::filesystem::create_directories(directory_);
    ::chmod(options_.directory.c_str(), 0711);
    ::chmod(directory_.c_str(), 0700);
    if (::geteuid() == 0 && ::chown(directory_.c_str(), options_.uid, options_.gid) != 0)
      throw_errno("chown " + directory_);
    std::filesystem::remove(directory_ + "/" + kStateFile);
    const Rendered rendered = render(*desired_, {directory_, options_.threads}, in_service());
    write_files(rendered);
    coming_shape_ = rendered.shape;
    fault_point("balancer.files.written");
  } catch (const PlaneError& error) {
    retry_at_ = now + kRestartPause;
    fail(error.message);
    return;
  } catch (const std::filesystem::filesystem_error& error) {
    retry_at_ = now + kRestartPause;
    fail(error.what());
    return;
  }
  warnings_.clear();
  started_at_ = now;
  deadline_ = now + kStartDeadline;
  phase_ = Phase::spawning;
  SpawnSpec spec;
  spec.id = "haproxy/" + id_;
  spec.owner = "balancer/" + id_;
  // -W: a master that keeps its pid over reloads and starts workers; in the foreground, since the keeper is its parent.
  spec.arguments = {options_.program, "-W", "-f", directory_ + "/" + kConfigFile};
  spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  spec.directory = "/";
  spec.network_namespace = desired_->network_namespace;
  spec.uid = options_.uid;
  spec.gid = options_.gid;
  spec.ambient_capabilities = {"CAP_NET_BIND_SERVICE"};
  host_.spawn(id_, std::move(spec), directory_ + "/" + kLogSocket);
}

void Proxy::write_files(const Rendered& rendered) {
  for (const auto& [name, content] : rendered.files) write_file(directory_ + "/" + name, content, options_);
  write_file(directory_ + "/" + kConfigFile, rendered.config, options_);
  // What an earlier configuration named: HAProxy has read it, and reads this one from now on.
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    const bool is_named_by_digest = name.starts_with("body-") || name.starts_with("certificate-");
    if (is_named_by_digest && !rendered.files.contains(name)) ::unlink(entry.path().c_str());
  }
}

void Proxy::begin_reload(Moment now, const Rendered& rendered) {
  // The new worker takes the health of the servers in service from this file.
  write_file(directory_ + "/" + kStateFile, ask("show servers state") + "\n", options_);
  write_files(rendered);
  coming_shape_ = rendered.shape;
  warnings_.clear();
  ending_.clear();
  for (const auto& [frontend, count] : connections_) ending_.insert(frontend);
  deadline_ = now + kStartDeadline;
  phase_ = Phase::reloading;
  ask_to_reload(now);
}

// A master that has just started a worker loses signals that come before it waits for them (measured: one reload in
// ten, when they follow each other): it is asked again until it says that it reloads.
void Proxy::ask_to_reload(Moment now) {
  reload_heard_ = false;
  ask_again_at_ = now + kReloadPatience;
  host_.reload(id_);
  fault_point("balancer.reload");
}

// Until the worker that answers is the one with the configuration that was written last.
void Proxy::await_shape(Moment now) {
  try {
    const bool answers = info_value(ask("show info"), "description") == coming_shape_;
    // For a moment both workers take connections: it is done when the old one has said that it stopped.
    if (answers && !ending_.empty() && now + kEndPatience < deadline_) deadline_ = now + kEndPatience;
    if (answers && (ending_.empty() || now >= deadline_)) {
      shape_ = coming_shape_;
      connections_.clear();
      answered_at_ = now;
      phase_ = Phase::serving;
      return;
    }
  } catch (const PlaneError&) {
    // Its socket is not there yet.
  }
  const bool reloading = phase_ == Phase::reloading;
  if (reloading && !reload_heard_ && now >= ask_again_at_) ask_to_reload(now);
  if (now < deadline_) return;
  fail(std::string("HAProxy does not serve after ") + (reloading ? "its reload" : "its start") +
       (warnings_.empty() ? "" : ": " + warnings_));
  if (reloading) {
    phase_ = Phase::serving;
    refused_shape_ = coming_shape_;
  } else {
    phase_ = Phase::stopping;  // and then another is started
    host_.stop(id_);
  }
}

void Proxy::look(Moment now) {
  deadline_ = Moment::max();
  if (!desired_) return;  // adopted, and nobody has said yet what it shall be
  deadline_ = now + kSlowLook;
  try {
    if (shape_.empty()) shape_ = info_value(ask("show info"), "description");
    const auto rows = parse_stat(ask("show stat -1 7 -1"));
    answered_at_ = now;
    observed_ = observe(rows);
    count(rows);
    if (desired_shape_.empty()) desired_shape_ = render(*desired_, {directory_, options_.threads}, {}).shape;
    if (desired_shape_ == shape_) {
      converge(now);
    } else if (desired_shape_ != refused_shape_) {
      begin_reload(now, render(*desired_, {directory_, options_.threads}, in_service()));
    }
  } catch (const PlaneError& error) {
    if (error.kind == PlaneError::Kind::permanent) {
      fail(error.message);
      return;
    }
    log::warning("balancer", id_ + ": " + error.message);
    deadline_ = now + kQuickLook;
    if (now - answered_at_ < kMostSilence) return;
    phase_ = Phase::stopping;  // and then another is started
    host_.stop(id_);
  }
}

void Proxy::converge(Moment now) {
  TargetPlan plan = plan_targets(desired_->groups, observed_, memories_, milliseconds_of(now));
  memories_ = std::move(plan.memories);
  if (plan.changing) deadline_ = now + (plan.probing ? kFreshLook : kQuickLook);
  execute(plan.actions);
  publish(plan.health);
  succeed();
}

void Proxy::execute(const std::vector<TargetAction>& actions) {
  for (const TargetAction& action : actions)
    for (const std::string& command : commands(action, desired_->groups)) {
      const std::string answer = ask(command);
      fault_point("balancer.target");
      // A server that has connections left cannot be deleted yet; anything is seen and corrected at the next look.
      if (!answer.empty()) log::debug("balancer", id_ + ": " + command + ": " + answer);
    }
}

void Proxy::publish(const std::map<TargetKey, TargetHealth>& health) {
  for (const auto& [target, now] : health) {
    const auto before = told_.find(target);
    if (before == told_.end() || before->second != now) host_.tell(id_, target, now);
  }
  told_ = health;
}

void Proxy::count(const std::vector<StatRow>& rows) {
  std::uint64_t more = 0;
  for (const StatRow& row : rows) {
    if (row.server != "FRONTEND" || !row.proxy.starts_with("l.")) continue;
    std::uint64_t& last = connections_[row.proxy];
    more += row.connections >= last ? row.connections - last : row.connections;
    last = row.connections;
  }
  if (more != 0) host_.count_connections(id_, more);
}

InService Proxy::in_service() const {
  InService result;
  if (!desired_) return result;
  for (const TargetGroup& group : desired_->groups)
    for (const Target& target : group.targets) {
      const auto seen = observed_.find({group.id, target.id});
      if (!target.draining && seen != observed_.end() && seen->second.in_service && !seen->second.resting)
        result.insert({group.id, target.id});
    }
  return result;
}

std::string Proxy::ask(const std::string& command) const {
  return runtime_command(directory_ + "/" + kAdminSocket, command);
}

void Proxy::succeed() {
  for (Done& done : std::exchange(waiting_, {})) host_.finish(std::move(done), "");
}

void Proxy::fail(const std::string& error) {
  for (Done& done : std::exchange(waiting_, {})) host_.finish(std::move(done), error);
}

}  // namespace brume::balancer
