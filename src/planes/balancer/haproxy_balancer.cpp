#include "planes/balancer/haproxy_balancer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/fault.h"
#include "core/log.h"
#include "planes/balancer/access.h"
#include "planes/balancer/proxy.h"
#include "planes/balancer/statistics.h"

namespace brume::balancer {
namespace {

constexpr std::string_view kChildPrefix = "haproxy/", kLogPrefix = "haproxy-log/";
constexpr std::int64_t kStopGraceMs = 5000;

std::string child_id(const std::string& id) { return std::string(kChildPrefix) + id; }
std::string log_id(const std::string& id) { return std::string(kLogPrefix) + id; }

std::string how_it_ended(const ExitStatus& exit) {
  return exit.signal != 0 ? "was ended by signal " + std::to_string(exit.signal)
                          : "ended with code " + std::to_string(exit.code);
}

class HaproxyBalancer final : public Balancer, public ProxyHost {
 public:
  HaproxyBalancer(HaproxyOptions options, Keeper& keeper, Control& control)
      : options_(std::move(options)), keeper_(keeper), control_(control) {
    keeper_.on_exit([this, alive = std::weak_ptr(alive_)](const Child& child) {
      if (!alive.expired()) child_ended(child);
    });
    keeper_.on_lines([this, alive = std::weak_ptr(alive_)](const std::vector<Keeper::Line>& lines) {
      if (!alive.expired()) take_lines(lines);
    });
    thread_ = std::thread([this] { run(); });
  }
  ~HaproxyBalancer() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void recover(Done done) override {
    keeper_.list([this, alive = std::weak_ptr(alive_), done = std::move(done)](const std::vector<Child>& children) {
      if (alive.expired()) return;
      for (const Child& child : children) {
        if (!child.id.starts_with(kChildPrefix)) continue;
        const std::string id = child.id.substr(kChildPrefix.size());
        if (!child.running) {
          keeper_.forget(child.id);
          continue;
        }
        keeper_.open_log_socket(options_.directory + "/" + id + "/" + kLogSocket, log_id(id));
        with(id, [](Proxy& proxy) { proxy.adopt(); });
      }
      post([this, done] { finish(done, ""); });
    });
  }
  void apply(LoadBalancer balancer, Done done) override {
    const std::string id = balancer.id;
    with(id, [balancer = std::move(balancer), done = std::move(done)](Proxy& proxy) { proxy.want(balancer, done); });
  }
  void remove(const std::string& id, Done done) override {
    statistics_.erase(id);
    with(id, [done = std::move(done)](Proxy& proxy) { proxy.remove(done); });
  }
  void on_health(std::function<void(const std::string&, const std::string&, const std::string&, const TargetHealth&)>
                     callback) override {
    health_callback_ = std::move(callback);
  }
  void statistics(const std::string& id, std::function<void(std::map<std::string, Statistics>)> done) override {
    control_.post([this, id, alive = std::weak_ptr(alive_), done = std::move(done)] {
      if (alive.expired()) return;
      const auto found = statistics_.find(id);
      done(found == statistics_.end() ? std::map<std::string, Statistics>() : found->second);
    });
  }
  void on_access(std::function<void(const Access&)> callback) override { access_callback_ = std::move(callback); }
  void remove_all(Done done) override {
    post([this, done = std::move(done)] {
      auto left = std::make_shared<std::size_t>(proxies_.size() + 1);
      // Shared by the callbacks of all removals; the last one answers.
      const Done one_less = [left, done](const std::string&) {
        if (--*left == 0) done("");
      };
      for (auto& [id, proxy] : proxies_) proxy->remove(one_less);
      finish(one_less, "");
    });
  }

 private:
  // The plane's thread.
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const auto due = [this] { return stopping_ || !commands_.empty(); };
      if (next_ == Proxy::Moment::max())
        wake_.wait(lock, due);
      else
        wake_.wait_until(lock, next_, due);
      std::deque<std::function<void()>> commands;
      commands.swap(commands_);
      const bool stopping = stopping_;
      lock.unlock();
      for (auto& command : commands) command();
      if (!stopping) tick_all();
      lock.lock();
    }
  }
  void tick_all() {
    next_ = Proxy::Moment::max();
    for (auto entry = proxies_.begin(); entry != proxies_.end();) {
      Proxy::Moment& due = due_[entry->first];
      const auto now = std::chrono::steady_clock::now();
      if (due <= now) due = entry->second->tick(now);
      next_ = std::min(next_, due);
      if (entry->second->gone()) {
        due_.erase(entry->first);
        entry = proxies_.erase(entry);
      } else {
        ++entry;
      }
    }
  }
  void post(std::function<void()> command) {
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(std::move(command));
    }
    wake_.notify_one();
  }
  // Runs on the plane's thread with the proxy of that id, made when there is none, which is then due at once.
  void with(const std::string& id, std::function<void(Proxy&)> function) {
    post([this, id, function = std::move(function)] {
      auto& proxy = proxies_[id];
      if (!proxy) proxy = std::make_unique<Proxy>(id, options_, *this);
      due_[id] = {};
      function(*proxy);
    });
  }

  // The control thread.
  void child_ended(const Child& child) {
    if (!child.id.starts_with(kChildPrefix)) return;
    with(child.id.substr(kChildPrefix.size()), [how = how_it_ended(child.exit)](Proxy& proxy) { proxy.exited(how); });
  }
  void take_lines(const std::vector<Keeper::Line>& lines) {
    std::map<std::string, std::uint64_t> taken;
    for (const Keeper::Line& line : lines) {
      if (line.id.starts_with(kLogPrefix)) {
        taken[line.id] = line.sequence;
        take_access(line.id.substr(kLogPrefix.size()), line);
      } else if (line.id.starts_with(kChildPrefix)) {
        taken[line.id] = line.sequence;
        if (line.stream == Stream::err)
          with(line.id.substr(kChildPrefix.size()), [text = line.text](Proxy& proxy) { proxy.warned(text); });
      }
    }
    for (const auto& [id, sequence] : taken) keeper_.acknowledge(id, sequence);
  }
  void take_access(const std::string& id, const Keeper::Line& line) {
    const auto access = parse_access(line.text, id, line.at_ms);
    if (!access) return;
    auto& statistics = statistics_[id];
    add_to(statistics[""], *access);
    if (!access->group.empty()) add_to(statistics[access->group], *access);
    if (access_callback_) access_callback_(*access);
  }

  // ProxyHost: the plane's thread; what follows runs on the control thread.
  void on_control(std::function<void()> function) {
    control_.post([alive = std::weak_ptr(alive_), function = std::move(function)] {
      if (!alive.expired()) function();
    });
  }
  void spawn(const std::string& id, SpawnSpec spec, std::string log_socket) override {
    on_control([this, id, spec = std::move(spec), log_socket = std::move(log_socket)] {
      keeper_.open_log_socket(log_socket, log_id(id));
      keeper_.spawn(spec, [this, id, alive = std::weak_ptr(alive_)](const Keeper::Spawned& spawned) {
        fault_point("balancer.spawned");
        if (alive.expired()) return;
        with(id, [error = spawned.error](Proxy& proxy) { proxy.started(error); });
      });
    });
  }
  void reload(const std::string& id) override {
    on_control([this, id] { keeper_.signal(child_id(id), SIGUSR2); });
  }
  void stop(const std::string& id) override {
    on_control([this, id] { keeper_.stop(child_id(id), SIGTERM, kStopGraceMs); });
  }
  void forget(const std::string& id) override {
    on_control([this, id] {
      keeper_.forget(child_id(id));
      keeper_.close_log_socket(log_id(id));
    });
  }
  void finish(Done done, std::string error) override {
    if (done) control_.post([done = std::move(done), error = std::move(error)] { done(error); });
  }
  void tell(const std::string& id, const TargetKey& target, const TargetHealth& health) override {
    on_control([this, id, target, health] {
      if (health_callback_) health_callback_(id, target.first, target.second, health);
    });
  }
  void count_connections(const std::string& id, std::uint64_t more) override {
    on_control([this, id, more] { statistics_[id][""].connections += more; });
  }

  const HaproxyOptions options_;
  Keeper& keeper_;
  Control& control_;
  // Posted functions hold it weakly: when the plane is gone they do nothing.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  // The control thread's.
  std::function<void(const std::string&, const std::string&, const std::string&, const TargetHealth&)> health_callback_;
  std::function<void(const Access&)> access_callback_;
  std::map<std::string, std::map<std::string, Statistics>> statistics_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> commands_;  // guarded by mutex_, as is stopping_
  bool stopping_ = false;
  // The plane's thread's.
  std::map<std::string, std::unique_ptr<Proxy>> proxies_;
  std::map<std::string, Proxy::Moment> due_;
  Proxy::Moment next_ = Proxy::Moment::max();
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Balancer> make_haproxy_balancer(HaproxyOptions options, Keeper& keeper, Control& control) {
  return std::make_unique<HaproxyBalancer>(std::move(options), keeper, control);
}

}  // namespace brume::balancer
