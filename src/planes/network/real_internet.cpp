#include "planes/network/real_internet.h"

#include <signal.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/log.h"
#include "planes/network/render.h"

namespace brume::network {
namespace {

constexpr const char* kChildId = "slirp4netns";
// A documentation range: outside of every VPC that AWS allows to be of use, of Brume's pools, and never forwarded.
constexpr const char* kTapCidr = "192.0.2.0/24";
constexpr std::int64_t kGraceMs = 2000;
// One that ends sooner than this would end again and again.
constexpr std::int64_t kLivedMs = 10'000;

SpawnSpec spawn_spec(const std::string& namespace_path) {
  SpawnSpec spec;
  spec.id = kChildId;
  spec.owner = "network";
  spec.arguments = {"slirp4netns",
                    "--configure",
                    "--mtu=65520",
                    "--disable-host-loopback",
                    "--disable-dns",
                    std::string("--cidr=") + kTapCidr,
                    "--netns-type=path",
                    namespace_path,
                    kTapLink};
  spec.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  spec.output = SpawnSpec::Output::null;
  return spec;
}

}  // namespace

struct RealInternet::State : std::enable_shared_from_this<State> {
  State(Keeper& of_keeper, std::string of_path, std::function<void(Done)> waiter)
      : keeper(of_keeper), namespace_path(std::move(of_path)), wait_for_tap(std::move(waiter)) {}

  void start(Done done) {
    keeper.spawn(spawn_spec(namespace_path), [self = shared_from_this(), done](const Keeper::Spawned& spawned) {
      if (self->closed) return;
      if (spawned.pid == 0)
        done("slirp4netns could not be started: " + spawned.error);
      else
        self->wait_for_tap(done);
    });
  }

  void ended(const Child& child) {
    keeper.forget(kChildId);
    for (const Done& done : std::exchange(stopping, {})) done("");
    if (!wanted) return;
    const std::int64_t lived_ms = child.exit.at_ms - child.started_ms;  // negative when the clock was set back
    if (child.exit.signal != SIGKILL && lived_ms >= 0 && lived_ms < kLivedMs) {
      log::error("network", "slirp4netns ended soon after its start: there is no way to the real internet");
      return;
    }
    log::warning("network", "slirp4netns has ended and is started again");
    start([](const std::string& error) {
      if (!error.empty()) log::error("network", error);
    });
  }

  Keeper& keeper;
  const std::string namespace_path;
  const std::function<void(Done)> wait_for_tap;
  bool wanted = false;
  bool closed = false;  // the plane is gone, and with it whatever answers refer to
  std::vector<Done> stopping;
};

RealInternet::RealInternet(Keeper& keeper, std::string namespace_path, std::function<void(Done)> wait_for_tap)
    : state_(std::make_shared<State>(keeper, std::move(namespace_path), std::move(wait_for_tap))) {
  keeper.on_exit([weak = std::weak_ptr<State>(state_)](const Child& child) {
    const std::shared_ptr<State> state = weak.lock();
    if (state && !state->closed && child.id == kChildId) state->ended(child);
  });
}

RealInternet::~RealInternet() {
  state_->closed = true;
  state_->stopping.clear();
}

void RealInternet::enable(Done done) {
  state_->wanted = true;
  state_->keeper.list([state = state_, done = std::move(done)](const std::vector<Child>& children) {
    if (state->closed) return;
    const auto child = std::ranges::find(children, kChildId, &Child::id);
    if (child != children.end() && child->running) return state->wait_for_tap(done);
    if (child != children.end()) state->keeper.forget(kChildId);
    state->start(done);
  });
}

void RealInternet::disable(Done done) {
  state_->wanted = false;
  state_->keeper.list([state = state_, done = std::move(done)](const std::vector<Child>& children) {
    if (state->closed) return;
    const auto child = std::ranges::find(children, kChildId, &Child::id);
    if (child == children.end() || !child->running) return done("");
    state->stopping.push_back(done);
    state->keeper.stop(kChildId, SIGTERM, kGraceMs);
  });
}

}  // namespace brume::network
