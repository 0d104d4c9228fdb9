#include "planes/network/fake.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>

#include "core/error.h"
#include "planes/network/address.h"
#include "planes/network/render.h"

namespace brume::network {
namespace {

// The kernel chooses an abstract name: nothing appears in the file system.
Descriptor bound_socket(int type, std::string& name) {
  Descriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) != 0)
    throw_errno("bind");
  if (type == SOCK_STREAM && ::listen(socket.get(), 16) != 0) throw_errno("listen");
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  name.assign(address.sun_path, size - offsetof(sockaddr_un, sun_path));
  return socket;
}

Descriptor connected_socket(const std::string& name) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    throw_errno("connect");
  return socket;
}

Listener listener(const std::string& vpc_id, Service service) {
  std::string ignored;
  Listener made{.vpc = vpc_id, .service = service};
  if (service == Service::dns) made.udp = bound_socket(SOCK_DGRAM, ignored).release();
  made.tcp = bound_socket(SOCK_STREAM, ignored).release();
  return made;
}

}  // namespace

const Vpc* FakeNetwork::find(const std::string& vpc_id) const {
  const auto found = kernel_.vpcs.find(vpc_id);
  return found == kernel_.vpcs.end() ? nullptr : &found->second;
}

void FakeNetwork::recover(Done done) {
  offer("");
  for (const auto& [id, vpc] : kernel_.vpcs) offer(id);
  answer(std::move(done), "");
}

void FakeNetwork::apply(Vpc vpc, Done done) {
  const std::string id = vpc.id;
  if (const auto waiting = waiting_.find(id); waiting != waiting_.end()) {
    waiting->second->vpc = std::move(vpc);
    waiting->second->dones.push_back(std::move(done));
    return;
  }
  waiting_[id] = std::make_shared<Waiting>(Waiting{std::move(vpc), {std::move(done)}});
  control_.post([this, id, waiting = waiting_[id]] {
    if (waiting_[id] == waiting) waiting_.erase(id);
    std::string error = take_failure(id);
    try {
      render_table(waiting->vpc);
      render_topology(waiting->vpc, {});
    } catch (const PlaneError& refused) {
      error = refused.message;
    }
    if (error.empty()) {
      kernel_.vpcs[id] = waiting->vpc;
      offer("");
      offer(id);
    }
    for (const Done& each : waiting->dones) answer(each, error);
  });
}

void FakeNetwork::remove(const std::string& vpc_id, Done done) {
  waiting_.erase(vpc_id);
  control_.post([this, vpc_id, done = std::move(done)] {
    const std::string error = take_failure(vpc_id);
    if (error.empty()) {
      kernel_.vpcs.erase(vpc_id);
      offered_.erase(vpc_id);
    }
    answer(done, error);
  });
}

void FakeNetwork::counters(const std::string& vpc_id, std::function<void(Counters)> done) {
  control_.post([this, vpc_id, done = std::move(done)] {
    Counters counters = measured[vpc_id];
    if (const Vpc* vpc = find(vpc_id)) {
      NftCounters zero;
      for (const std::string& name : render_table(*vpc).counters) zero[name] = {0, 0};
      const Counters all = read_counters(zero);
      counters.rules.insert(all.rules.begin(), all.rules.end());
      counters.ingress_dropped.insert(all.ingress_dropped.begin(), all.ingress_dropped.end());
      counters.egress_dropped.insert(all.egress_dropped.begin(), all.egress_dropped.end());
      counters.acl_dropped.insert(all.acl_dropped.begin(), all.acl_dropped.end());
      counters.nat.insert(all.nat.begin(), all.nat.end());
    }
    done(counters);
  });
}

void FakeNetwork::flows(const std::string& vpc_id, std::function<void(Flows)> done) {
  control_.post([this, vpc_id, done = std::move(done)] {
    const auto found = passed.extract(vpc_id);
    done(found ? found.mapped() : Flows{});
  });
}

std::string FakeNetwork::namespace_path(const std::string& sandbox) const {
  return "/fake/netns/" + sandbox_namespace(sandbox);
}
std::string FakeNetwork::internet_namespace_path() const { return std::string("/fake/netns/") + kInternetNamespace; }
std::string FakeNetwork::router_namespace_path(const std::string& vpc_id) const {
  return "/fake/netns/" + router_namespace(vpc_id);
}

void FakeNetwork::on_listener(std::function<void(Listener)> callback) {
  on_listener_ = std::move(callback);
  for (const Listener& listener : std::exchange(early_, {})) on_listener_(listener);
}

void FakeNetwork::dial(const std::string& vpc_id, const std::string& address, int port,
                       std::function<void(int fd, std::string error)> done) {
  control_.post([this, vpc_id, address, port, done = std::move(done)] {
    int pair[2];
    const auto endpoint = listening_.find({address, port});
    if (vpc_id.empty() && endpoint != listening_.end()) {
      done(connected_socket(endpoint->second).release(), "");
    } else if (on_dial && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
      on_dial(vpc_id, address, port, pair[1]);
      done(pair[0], "");
    } else {
      done(-1, std::strerror(ECONNREFUSED));
    }
  });
}

void FakeNetwork::listen_internet(const std::string& address, int port,
                                  std::function<void(int fd, std::string error)> done) {
  control_.post([this, address, port, done = std::move(done)] {
    const std::optional<Ipv4> wanted = parse_ipv4(address);
    if (!wanted || !contains(require_cidr(kEndpointPool), *wanted))
      return done(-1, address + " is not in the endpoint pool " + kEndpointPool);
    std::string name;
    Descriptor socket = bound_socket(SOCK_STREAM, name);
    listening_[{address, port}] = name;
    done(socket.release(), "");
  });
}

void FakeNetwork::set_egress(bool allowed, Done done) {
  egress = allowed;
  answer(std::move(done), "");
}

void FakeNetwork::enable_real_internet(bool enabled, Done done) {
  real_internet = enabled;
  answer(std::move(done), "");
}

void FakeNetwork::remove_all(Done done) {
  waiting_.clear();
  control_.post([this, done = std::move(done)] {
    kernel_.vpcs.clear();
    offered_.clear();
    listening_.clear();
    answer(done, "");
  });
}

std::string FakeNetwork::take_failure(const std::string& vpc_id) {
  const auto failure = failures_.extract(vpc_id);
  return failure ? failure.mapped() : "";
}

void FakeNetwork::offer(const std::string& vpc_id) {
  if (!offered_.insert(vpc_id).second) return;
  std::vector<Listener> made = {listener(vpc_id, Service::dns)};
  // A VPC's resolver has two addresses.
  if (!vpc_id.empty())
    for (const Service service : {Service::dns, Service::metadata, Service::credentials})
      made.push_back(listener(vpc_id, service));
  for (const Listener& each : made) {
    if (on_listener_)
      on_listener_(each);
    else
      early_.push_back(each);
  }
}

void FakeNetwork::answer(Done done, std::string error) {
  control_.post([done = std::move(done), error = std::move(error)] { done(error); });
}

}  // namespace brume::network
