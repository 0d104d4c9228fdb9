#include "planes/keeper/server.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/fault.h"
#include "core/log.h"
#include "planes/keeper/mounts.h"

namespace brume::keeper {
namespace {

std::string spool_directory(const KeeperOptions& options) {
  const std::string directory = options.state_directory + "/spool";
  std::filesystem::create_directories(directory);
  return directory;
}

// Runs what throws PlaneError; "" or the error's text.
template <class Action>
std::string error_of(Action action) {
  try {
    action();
    return {};
  } catch (const PlaneError& error) {
    return error.message;
  }
}

}  // namespace

Server::Server(const KeeperOptions& options, Descriptor listener, Descriptor signals)
    : options_(options),
      incarnation_(now_ms()),
      registry_(options.run_directory + "/children"),
      outbox_(spool_directory(options)),
      children_(poller_, outbox_, registry_),
      runs_(poller_, registry_),
      log_sockets_(poller_, outbox_),
      listener_(std::move(listener)),
      signals_(std::move(signals)) {
  registry_.kill_leftovers();
  // Processes that a program of an earlier keeper left behind (runc's containers) are known by their cgroup only.
  if (!options_.cgroup.empty()) {
    kill_cgroup(options_.cgroup);
    make_cgroup(options_.cgroup);
  }
  poller_.add(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
  poller_.add(signals_.get(), EPOLLIN, [this](std::uint32_t) { signalled(); });
}

void Server::run() {
  while (!ending_) {
    poller_.run_once();
    if (connection_ != nullptr && greeted_) outbox_.deliver(*connection_);
  }
  end_everything();
}

void Server::accept() {
  Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != ::geteuid()) {
    log::warning("keeper", "refused a connection of user " + std::to_string(peer.uid));
    return;
  }
  if (connection_ != nullptr) connection_->send(Message::replaced, "");
  ++daemon_number_;
  daemon_pid_ = peer.pid;
  greeted_ = false;
  connection_ = std::make_unique<Connection>(
      poller_, std::move(socket), [this](Connection& connection, const Frame& frame) { received(connection, frame); },
      [this](Connection&) { connection_.reset(); });
}

void Server::signalled() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) ending_ = true;
  }
  reap();
}

void Server::reap() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
    if (!runs_.reaped(pid, status)) children_.reaped(pid, status);
  }
}

std::string Server::daemon_path(const std::string& path) const {
  return path.empty() ? path : "/proc/" + std::to_string(daemon_pid_) + "/root" + path;
}

void Server::received(Connection& connection, const Frame& frame) {
  const auto type = static_cast<Message>(frame.type);
  switch (type) {
    case Message::hello:
      return greet(connection, frame.payload);
    case Message::spawn:
    case Message::run:
    case Message::list:
    case Message::mount_overlay:
    case Message::unmount:
      return request(connection, type, frame.payload);
    default:
      return order(type, frame.payload);
  }
}

void Server::greet(Connection& connection, const std::string& payload) {
  std::uint32_t version = 0;
  decode(payload, version);
  connection.send(Message::welcome, encode(kProtocolVersion, ::getpid(), incarnation_));
  if (version != kProtocolVersion) {
    throw PlaneError(PlaneError::Kind::permanent, "a daemon of another version: " + std::to_string(version));
  }
  outbox_.rewind();
  greeted_ = true;
}

void Server::request(Connection& connection, Message type, const std::string& payload) {
  Decoder in(payload);
  std::uint64_t number = 0;
  in(number);
  const auto values = [&](auto&... value) {
    in(value...);
    if (!in.good()) throw PlaneError(PlaneError::Kind::permanent, "a malformed request to the keeper");
  };
  const auto answer = [&](const auto& value) { connection.send(Message::reply, encode(number, value)); };
  if (type == Message::spawn) {
    SpawnSpec spec;
    values(spec);
    spec.network_namespace = daemon_path(spec.network_namespace);
    children_.spawn(spec, replier<Keeper::Spawned>(number));
  } else if (type == Message::run) {
    RunSpec spec;
    values(spec);
    spec.network_namespace = daemon_path(spec.network_namespace);
    runs_.run(spec, replier<RunResult>(number));
  } else if (type == Message::list) {
    answer(children_.list());
  } else if (type == Message::mount_overlay) {
    OverlayMount mount;
    values(mount);
    const std::string error = error_of([&] { mount_overlay(mount); });
    fault_point("keeper.mounted");
    answer(error);
  } else {
    std::string path;
    values(path);
    answer(error_of([&] { unmount_below(path); }));
  }
}

void Server::order(Message type, const std::string& payload) {
  std::string id, text;
  int signal = 0;
  std::int64_t number = 0;
  switch (type) {
    case Message::signal:
      decode(payload, id, signal);
      return children_.signal(id, signal);
    case Message::stop:
      decode(payload, id, signal, number);
      return children_.stop(id, signal, number);
    case Message::input:
      decode(payload, id, text);
      return children_.write_input(id, text);
    case Message::forget:
      decode(payload, id);
      return children_.forget(id);
    case Message::acknowledge:
      decode(payload, id, number);
      return outbox_.acknowledge(id, static_cast<std::uint64_t>(number));
    case Message::open_log_socket:
      decode(payload, text, id);
      return log_sockets_.open(text, id);
    case Message::close_log_socket:
      decode(payload, id);
      return log_sockets_.close(id);
    case Message::shut_down:
      ending_ = true;
      return;
    default:
      throw PlaneError(PlaneError::Kind::permanent, "an unknown message to the keeper");
  }
}

// Every child is ended and reaped, then nothing that the instance made in the kernel is left. The connection, whose end
// says so, is closed last: whoever asked takes the directories away then.
void Server::end_everything() {
  children_.kill_all();
  runs_.kill_all();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  poller_.after(std::chrono::seconds(10), [] {});
  while ((children_.any_running() || runs_.any_running()) && std::chrono::steady_clock::now() < deadline) {
    poller_.run_once();
  }
  // A process that left its child's group is in the instance's cgroup still.
  std::string error = error_of([&] {
    if (options_.cgroup.empty()) return;
    remove_cgroup(options_.cgroup);
    // The parent goes with its last instance.
    const std::string parent = std::filesystem::path(options_.cgroup).parent_path().string();
    for (const std::string& root : cgroup_roots()) {
      if (parent.size() > 1) ::rmdir((root + parent).c_str());
    }
  });
  // Orphans came to the keeper, as the subreaper; one that has left its cgroup already may be ending still.
  while (::waitpid(-1, nullptr, WNOHANG) >= 0 && std::chrono::steady_clock::now() < deadline) ::usleep(1000);
  error += error_of([&] { unmount_below(options_.run_directory); });
  error += error_of([&] { unmount_below(options_.state_directory); });
  if (!error.empty()) log::error("keeper", "at the end: " + error);
  log_sockets_.close_all();
  std::error_code ignored;
  std::filesystem::remove_all(options_.run_directory + "/children", ignored);
  ::unlink(keeper_socket_path(options_.run_directory).c_str());
}

}  // namespace brume::keeper
