// The helpers of this folder's tests (named _test so that they are linked into the test program only).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <ostream>
#include <thread>

#include "planes/network/fake.h"
#include "planes/network/kernel_network.h"
#include "planes/network/test_world.h"

namespace brume::network::testing {
namespace {

class RealWorld final : public World {
 public:
  RealWorld(const std::string& run_directory, bool remove)
      : run_directory_(run_directory.empty() ? directory_.path() + "/run" : run_directory), remove_(remove) {
    start();
  }
  ~RealWorld() override {
    if (remove_) EXPECT_EQ(remove_all(), "");
  }

 private:
  std::unique_ptr<Network> make() override {
    return make_network({run_directory_, "test00", std::nullopt}, keeper_, loop_);
  }
  TemporaryDirectory directory_;
  const std::string run_directory_;
  const bool remove_;
};

class FakeWorld final : public World {
 public:
  FakeWorld() { start(); }

 private:
  std::unique_ptr<Network> make() override { return std::make_unique<FakeNetwork>(kernel_, loop_); }
  FakeKernel kernel_;
};

sockaddr_in socket_address(const std::string& address, int port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &result.sin_addr), 1) << address;
  return result;
}

bool readable(int socket, int limit_ms) {
  pollfd poll{socket, POLLIN, 0};
  return ::poll(&poll, 1, limit_ms) == 1;
}

Outcome outcome_of(int error) {
  if (error == 0) return Outcome::connected;
  if (error == ECONNREFUSED) return Outcome::refused;
  if (error == EHOSTUNREACH || error == ENETUNREACH || error == EACCES) return Outcome::unreachable;
  return Outcome::timed_out;
}

}  // namespace

std::string why_no_kernel() {
  std::string reason;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) reason = "network namespaces cannot be made by this user";
  }).join();
  if (reason.empty() && ::access("/usr/sbin/nft", X_OK) != 0) reason = "nftables is not installed";
  return reason;
}

World::~World() {
  for (const Listener& listener : listeners) {
    if (listener.udp >= 0) ::close(listener.udp);
    if (listener.tcp >= 0) ::close(listener.tcp);
  }
}

void World::start() {
  network_ = make();
  network_->on_listener([this](const Listener& listener) { listeners.push_back(listener); });
}

void World::restart() {
  network_.reset();
  for (const Listener& listener : std::exchange(listeners, {})) {
    if (listener.udp >= 0) ::close(listener.udp);
    if (listener.tcp >= 0) ::close(listener.tcp);
  }
  keeper_.reconnect();
  start();
}

std::string World::wait(const std::function<void(Done)>& begin) { return loop_.await<std::string>(begin); }
std::string World::recover() {
  return wait([&](const Done& done) { network_->recover(done); });
}
std::string World::apply(const Vpc& vpc) {
  return wait([&](const Done& done) { network_->apply(vpc, done); });
}
std::string World::remove(const std::string& vpc_id) {
  return wait([&](const Done& done) { network_->remove(vpc_id, done); });
}
std::string World::remove_all() {
  return wait([&](const Done& done) { network_->remove_all(done); });
}
std::string World::set_egress(bool allowed) {
  return wait([&](const Done& done) { network_->set_egress(allowed, done); });
}
Counters World::counters(const std::string& vpc_id) {
  return loop_.await<Counters>([&](const auto& done) { network_->counters(vpc_id, done); });
}

std::pair<Descriptor, std::string> World::dial(const std::string& vpc_id, const std::string& address, int port) {
  std::pair<int, std::string> result = {-1, ""};
  bool answered = false;
  network_->dial(vpc_id, address, port, [&](int fd, const std::string& error) {
    result = {fd, error};
    answered = true;
  });
  EXPECT_TRUE(loop_.run_until([&] { return answered; }));
  return {Descriptor(result.first), result.second};
}

std::pair<Descriptor, std::string> World::listen_internet(const std::string& address, int port) {
  std::pair<int, std::string> result = {-1, ""};
  bool answered = false;
  network_->listen_internet(address, port, [&](int fd, const std::string& error) {
    result = {fd, error};
    answered = true;
  });
  EXPECT_TRUE(loop_.run_until([&] { return answered; }));
  return {Descriptor(result.first), result.second};
}

std::unique_ptr<World> make_real_world() { return std::make_unique<RealWorld>("", true); }
std::unique_ptr<World> make_real_world_in(const std::string& run_directory, bool remove) {
  return std::make_unique<RealWorld>(run_directory, remove);
}
std::unique_ptr<World> make_fake_world() { return std::make_unique<FakeWorld>(); }

void inside(const std::string& namespace_path, const std::function<void()>& body) {
  std::thread([&] {
    const Descriptor name_space(::open(namespace_path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(name_space) << namespace_path;
    ASSERT_EQ(::setns(name_space.get(), CLONE_NEWNET), 0) << namespace_path;
    body();
  }).join();
}

struct EchoServer::State {
  Descriptor listening;
  Descriptor stop{::eventfd(0, EFD_CLOEXEC)};
  std::vector<Descriptor> clients;
  std::thread thread;

  void accept_client() {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    Descriptor client(::accept4(listening.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text);
    const std::string hello = std::string(text) + "\n";
    if (client && ::send(client.get(), hello.data(), hello.size(), MSG_NOSIGNAL) > 0)
      clients.push_back(std::move(client));
  }

  void run() {
    while (true) {
      std::vector<pollfd> polls = {{stop.get(), POLLIN, 0}, {listening.get(), POLLIN, 0}};
      for (const Descriptor& client : clients) polls.push_back({client.get(), POLLIN, 0});
      if (::poll(polls.data(), polls.size(), -1) < 0 || polls[0].revents != 0) return;
      for (std::size_t i = polls.size() - 1; i >= 2; --i) {
        char byte = 0;
        if (polls[i].revents == 0) continue;
        const bool open = ::recv(polls[i].fd, &byte, 1, 0) == 1 && ::send(polls[i].fd, &byte, 1, MSG_NOSIGNAL) == 1;
        if (!open) clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i) - 2);
      }
      if (polls[1].revents != 0) accept_client();
    }
  }
};

EchoServer::EchoServer(const std::string& namespace_path, const std::string& address, int port)
    : state_(std::make_unique<State>()) {
  inside(namespace_path, [&] {
    state_->listening = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(state_->listening.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in local = socket_address(address, port);
    ASSERT_EQ(::bind(state_->listening.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local), 0) << address;
    ASSERT_EQ(::listen(state_->listening.get(), 64), 0);
  });
  state_->thread = std::thread([this] { state_->run(); });
}

EchoServer::~EchoServer() {
  ::eventfd_write(state_->stop.get(), 1);
  state_->thread.join();
}

std::ostream& operator<<(std::ostream& out, Outcome outcome) {
  static constexpr const char* kNames[] = {"connected", "refused", "unreachable", "timed out"};
  return out << kNames[static_cast<int>(outcome)];
}

Client::Client(const std::string& namespace_path, const std::string& address, int port, int limit_ms) {
  int error = 0;
  inside(namespace_path, [&] {
    socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in remote = socket_address(address, port);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0) error = errno;
  });
  if (error == EINPROGRESS) {
    pollfd poll{socket_.get(), POLLOUT, 0};
    error = ETIMEDOUT;
    socklen_t size = sizeof error;
    if (::poll(&poll, 1, limit_ms) == 1) ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  outcome_ = outcome_of(error);
  if (outcome_ != Outcome::connected) return;
  for (char c = 0; readable(socket_.get(), limit_ms) && ::recv(socket_.get(), &c, 1, 0) == 1 && c != '\n';)
    seen_as_ += c;
}

bool Client::echo(int limit_ms) {
  char byte = 'x';
  return ::send(socket_.get(), &byte, 1, MSG_NOSIGNAL) == 1 && readable(socket_.get(), limit_ms) &&
         ::recv(socket_.get(), &byte, 1, 0) == 1;
}

}  // namespace brume::network::testing
