#include "planes/network/kernel_network.h"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "planes/network/internet.h"
#include "planes/network/kernel.h"
#include "planes/network/kernel_thread.h"
#include "planes/network/real_internet.h"
#include "planes/network/router.h"
#include "planes/network/sockets.h"

namespace brume::network {
namespace {

constexpr std::chrono::seconds kDialDeadline(5), kTapDeadline(10);
// PLANES section 8: some 32 KB of text are too much for a socket that may not grow its buffer.
constexpr std::size_t kRootlessTransactionBytes = 16'384;

// Real root has every user id, mapped to itself.
bool is_real_root() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 1, outside = 1, count = 0;
  map >> inside >> outside >> count;
  return ::geteuid() == 0 && inside == 0 && outside == 0 && count == 0xFFFFFFFF;
}

class KernelNetwork final : public Network {
 public:
  KernelNetwork(Options options, Keeper& keeper, Control& control)
      : control_(control),
        namespaces_(options.run_directory),
        instance_id_(std::move(options.instance_id)),
        limit_bytes_(options.transaction_limit_bytes.value_or(is_real_root() ? 0 : kRootlessTransactionBytes)),
        real_internet_(keeper, namespaces_.path(kInternetNamespace),
                       [this](Done done) { wait_for_tap(std::move(done)); }) {}

  void recover(Done done) override {
    work(std::move(done), [this] {
      ensure_internet();
      remove_orphans();
      for (const std::string& name : namespaces_.list())
        if (kind_of(name) == NamespaceKind::router) adopt(name.substr(router_namespace("").size()));
    });
  }

  void apply(Vpc vpc, Done done) override {
    const std::lock_guard lock(waiting_mutex_);
    std::shared_ptr<Waiting>& waiting = waiting_[vpc.id];
    if (waiting && !waiting->begun) {
      waiting->vpc = std::move(vpc);
      waiting->dones.push_back(std::move(done));
      return;
    }
    waiting = std::make_shared<Waiting>(Waiting{std::move(vpc), {std::move(done)}});
    thread_.post([this, waiting] { apply_waiting(*waiting); });
  }

  void remove(const std::string& vpc_id, Done done) override {
    forget_waiting(vpc_id);
    work(std::move(done), [this, vpc_id] {
      ensure_internet();
      router(vpc_id).remove();
      routers_.erase(vpc_id);
    });
  }

  void counters(const std::string& vpc_id, std::function<void(Counters)> done) override {
    thread_.post([this, vpc_id, done = std::move(done)] {
      Counters counters;
      try {
        if (const auto found = routers_.find(vpc_id); found != routers_.end())
          counters = found->second.router->counters();
      } catch (const PlaneError& error) {
        log::warning("network", "counters of " + vpc_id + ": " + error.message);
      }
      control_.post([done, counters = std::move(counters)] { done(counters); });
    });
  }

  void flows(const std::string& vpc_id, std::function<void(Flows)> done) override {
    thread_.post([this, vpc_id, done = std::move(done)] {
      Flows flows;
      try {
        if (const auto found = routers_.find(vpc_id); found != routers_.end()) flows = found->second.router->flows();
      } catch (const PlaneError& error) {
        flows.complete = false;
        log::warning("network", "flows of " + vpc_id + ": " + error.message);
      }
      control_.post([done, flows = std::move(flows)] { done(flows); });
    });
  }

  std::string namespace_path(const std::string& sandbox) const override {
    return namespaces_.path(sandbox_namespace(sandbox));
  }
  std::string internet_namespace_path() const override { return namespaces_.path(kInternetNamespace); }
  std::string router_namespace_path(const std::string& vpc_id) const override {
    return namespaces_.path(router_namespace(vpc_id));
  }

  void on_listener(std::function<void(Listener)> callback) override { offers_->listen(std::move(callback)); }

  void dial(const std::string& vpc_id, const std::string& address, int port,
            std::function<void(int fd, std::string error)> done) override {
    const std::string name = vpc_id.empty() ? kInternetNamespace : router_namespace(vpc_id);
    thread_.post([this, name, address, port, done = std::move(done)] {
      try {
        Descriptor socket = begin_connect(namespaces_, name, require_ipv4(address), static_cast<std::uint16_t>(port));
        thread_.await(std::move(socket), POLLOUT, std::chrono::steady_clock::now() + kDialDeadline,
                      [this, done](Descriptor made, bool ready) { dialled(std::move(made), ready, done); });
      } catch (const PlaneError& error) {
        answer(done, Descriptor(), error.message);
      }
    });
  }

  void listen_internet(const std::string& address, int port,
                       std::function<void(int fd, std::string error)> done) override {
    thread_.post([this, address, port, done = std::move(done)] {
      try {
        ensure_internet();
        answer(done, internet_->listen(address, static_cast<std::uint16_t>(port)), "");
      } catch (const PlaneError& error) {
        answer(done, Descriptor(), error.message);
      }
    });
  }

  void set_egress(bool allowed, Done done) override {
    work(std::move(done), [this, allowed] {
      ensure_internet();
      internet_->set_egress(allowed);
    });
  }

  void enable_real_internet(bool enabled, Done done) override {
    if (!enabled) return real_internet_.disable(std::move(done));
    work(
        [this, done = std::move(done)](const std::string& error) {
          if (error.empty())
            real_internet_.enable(done);
          else
            done(error);
        },
        [this] { ensure_internet(); });
  }

  void remove_all(Done done) override {
    {
      const std::lock_guard lock(waiting_mutex_);
      waiting_.clear();
    }
    real_internet_.disable(
        [this, done = std::move(done)](const std::string&) { work(done, [this] { remove_everything(); }); });
  }

 private:
  struct Waiting {
    Vpc vpc;
    std::vector<Done> dones;
    bool begun = false;
  };

  struct Adopted {
    std::unique_ptr<Router> router;
    bool offered = false;  // its listeners
    std::set<std::string> offered_endpoints;
  };

  // Shared with posted functions, which may outlive the plane: listeners on their way to the receiver.
  struct Offers {
    std::function<void(Listener)> callback;
    std::vector<Listener> early;
    ~Offers() {
      for (const Listener& listener : early) close(listener);
    }
    static void close(const Listener& listener) {
      Descriptor(listener.udp).reset();
      Descriptor(listener.tcp).reset();
    }
    void listen(std::function<void(Listener)> to) {
      callback = std::move(to);
      for (const Listener& listener : std::exchange(early, {})) callback(listener);
    }
    void offer(const Listener& listener) {
      if (callback)
        callback(listener);
      else
        early.push_back(listener);
    }
  };

  // An apply that comes later is not put before what comes now.
  void forget_waiting(const std::string& vpc_id) {
    const std::lock_guard lock(waiting_mutex_);
    waiting_.erase(vpc_id);
  }

  void work(Done done, std::function<void()> job) {
    thread_.post([this, done = std::move(done), job = std::move(job)] {
      const std::string error = attempt(job);
      control_.post([done, error] { done(error); });
    });
  }

  void wait_for_tap(Done done) {
    thread_.post([this, done = std::move(done)] {
      try {
        ensure_internet();
        await_tap(internet_->watch(), std::chrono::steady_clock::now() + kTapDeadline, done);
      } catch (const PlaneError& error) {
        control_.post([done, message = error.message] { done(message); });
      }
    });
  }

  static std::string attempt(const std::function<void()>& job) {
    try {
      job();
      return "";
    } catch (const PlaneError& error) {
      return error.message;
    }
  }

  // Until here a newer value may have replaced the one that was waiting.
  void apply_waiting(Waiting& waiting) {
    Vpc vpc;
    std::vector<Done> dones;
    {
      const std::lock_guard lock(waiting_mutex_);
      waiting.begun = true;
      vpc = std::move(waiting.vpc);
      dones = std::move(waiting.dones);
    }
    const std::string error = attempt([&] { apply_now(vpc); });
    control_.post([dones = std::move(dones), error] {
      for (const Done& done : dones) done(error);
    });
  }

  void answer(const std::function<void(int, std::string)>& done, Descriptor socket, const std::string& error) {
    // Shared: a move-only capture would not go through the callbacks' std::function; closed if it is never delivered.
    auto held = std::make_shared<Descriptor>(std::move(socket));
    control_.post([done, held, error] { done(held->release(), error); });
  }

  void dialled(Descriptor socket, bool ready, const std::function<void(int, std::string)>& done) {
    const std::string error = ready ? finish_connect(socket.get()) : "timed out";
    if (!error.empty()) socket.reset();
    answer(done, std::move(socket), error);
  }

  void await_tap(Descriptor watch, KernelThread::Deadline deadline, const Done& done) {
    // Everything was removed while somebody waited.
    if (!internet_) throw PlaneError(PlaneError::Kind::not_found, "the internet namespace is gone");
    if (internet_->has_tap()) {
      control_.post([done] { done(""); });
      return;
    }
    thread_.await(std::move(watch), POLLIN, deadline, [this, deadline, done](Descriptor socket, bool ready) {
      std::string error = ready ? "" : "slirp4netns has not brought its tap up in time";
      char ignored[8192];
      while (ready && ::read(socket.get(), ignored, sizeof ignored) > 0) {
      }
      if (ready) error = attempt([&] { await_tap(std::move(socket), deadline, done); });
      if (!error.empty()) control_.post([done, error] { done(error); });
    });
  }

  void ensure_internet() {
    if (!internet_) internet_ = std::make_unique<Internet>(namespaces_, instance_id_, limit_bytes_);
    internet_->ensure();
    if (!internet_offered_) offer(internet_->open_listeners());
    internet_offered_ = true;
  }

  void offer(const std::vector<Listener>& listeners) {
    for (const Listener& listener : listeners) control_.post([offers = offers_, listener] { offers->offer(listener); });
  }

  Router& router(const std::string& vpc_id) {
    Adopted& adopted = routers_[vpc_id];
    if (!adopted.router) adopted.router = std::make_unique<Router>(namespaces_, vpc_id, limit_bytes_);
    return *adopted.router;
  }

  void offer_listeners(const std::string& vpc_id) {
    Adopted& adopted = routers_[vpc_id];
    if (!adopted.offered) offer(adopted.router->open_listeners());
    adopted.offered = true;
  }

  void adopt(const std::string& vpc_id) {
    router(vpc_id);
    // One whose making was cut short has no address to listen on yet; its next apply completes it.
    if (!loopback_label(namespaces_, router_namespace(vpc_id)).empty()) offer_listeners(vpc_id);
  }

  void apply_now(const Vpc& vpc) {
    ensure_internet();
    router(vpc.id).apply(vpc);
    offer_listeners(vpc.id);
    Adopted& adopted = routers_[vpc.id];
    for (const std::string& address : vpc.service_addresses) {
      if (adopted.offered_endpoints.contains(address)) continue;
      offer(adopted.router->open_endpoint(address));
      adopted.offered_endpoints.insert(address);
    }
  }

  // Sandboxes whose making or removal was cut short: nothing names them any more.
  void remove_orphans() {
    for (const std::string& name : namespaces_.list()) {
      if (kind_of(name) != NamespaceKind::sandbox) continue;
      const std::string owner = loopback_label(namespaces_, name);
      if (owner.empty() || !namespaces_.exists(router_namespace(owner))) namespaces_.remove(name);
    }
  }

  void remove_everything() {
    for (const std::string& name : namespaces_.list())
      if (kind_of(name) == NamespaceKind::router) router(name.substr(router_namespace("").size())).remove();
    routers_.clear();
    for (const std::string& name : namespaces_.list())
      if (kind_of(name) == NamespaceKind::sandbox) namespaces_.remove(name);
    if (!internet_) internet_ = std::make_unique<Internet>(namespaces_, instance_id_, limit_bytes_);
    internet_->remove();
    internet_.reset();
    internet_offered_ = false;
    namespaces_.remove_directory();
  }

  Control& control_;
  const Namespaces namespaces_;
  const std::string instance_id_;
  const std::size_t limit_bytes_;
  const std::shared_ptr<Offers> offers_ = std::make_shared<Offers>();
  std::mutex waiting_mutex_;
  std::map<std::string, std::shared_ptr<Waiting>> waiting_;  // guarded by waiting_mutex_, as are its values
  RealInternet real_internet_;
  // The kernel thread's:
  std::unique_ptr<Internet> internet_;
  bool internet_offered_ = false;
  std::map<std::string, Adopted> routers_;
  KernelThread thread_;  // last: it ends before what it uses
};

}  // namespace

std::unique_ptr<Network> make_network(Options options, Keeper& keeper, Control& control) {
  return std::make_unique<KernelNetwork>(std::move(options), keeper, control);
}

void prepare_run_directory(const std::string& run_directory) { Namespaces(run_directory).prepare(); }

}  // namespace brume::network
