#include "front/http/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <future>
#include <list>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "front/http/connection.h"
#include "front/http/fd.h"
#include "front/http/sockets.h"

namespace brume::http {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kAcceptPause{100};  // when descriptors have run out
constexpr int kAcceptsAtOnce = 16;
constexpr std::chrono::milliseconds kLongestSweep{500};
constexpr std::chrono::milliseconds kShortestSweep{5};

struct Listener {
  Listener(asio::io_context& io, int fd, ListenerOptions chosen) : socket(io, fd), options(std::move(chosen)) {}
  asio::posix::stream_descriptor socket;
  ListenerOptions options;
  bool closed = false;
};

void prepare_spool(const std::string& directory) {
  std::filesystem::create_directories(directory);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().filename().string().starts_with("body-")) std::filesystem::remove(entry.path());
}

// Often enough that a deadline is met within a quarter of the shortest span.
std::chrono::milliseconds sweep_interval(const Limits& limits) {
  const auto shortest = std::min({limits.idle, limits.head_time, limits.handshake_time, limits.body_progress,
                                  limits.write_progress, limits.linger});
  return std::clamp(shortest / 4, kShortestSweep, kLongestSweep);
}

// Descriptors are needed for other things than connections: the store's files, namespaces, spooled bodies.
Limits within_descriptors(Limits limits) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
    limits.connections = std::min<std::size_t>(limits.connections, files.rlim_cur / 4 * 3);
  return limits;
}

}  // namespace

struct Server::State {
  explicit State(const Limits& limits) : shared(std::make_shared<Shared>(within_descriptors(limits))) {}
  std::shared_ptr<Shared> shared;
  std::list<std::shared_ptr<Listener>> listeners;  // shared with the coroutine that accepts on each
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::thread thread;
  asio::steady_timer next_sweep{shared->io};
  bool is_resting = false;  // nobody is there: the next who comes wakes the sweep

  asio::awaitable<void> accept_on(std::shared_ptr<Listener> listener);
  void admit(int fd, const ListenerOptions& options);
  asio::awaitable<void> sweep();
};

Server::Server(Limits limits, std::string spool_directory, Application& application, Clock& clock,
               CertificateSource* certificates)
    : state_(std::make_unique<State>(limits)) {
  prepare_spool(spool_directory);
  Shared& shared = *state_->shared;
  shared.spool_directory = std::move(spool_directory);
  shared.application = &application;
  shared.clock = &clock;
  if (certificates != nullptr) shared.tls = std::make_unique<TlsContexts>(*certificates);
}

Server::~Server() { stop(); }

void Server::start() {
  BRUME_CHECK(!state_->thread.joinable());
  Shared& shared = *state_->shared;
  state_->work.emplace(shared.io.get_executor());
  asio::co_spawn(shared.io, state_->sweep(), asio::detached);
  state_->thread = std::thread([&shared] {
    // sendfile and OpenSSL write without MSG_NOSIGNAL; a client that has gone is an error, not a signal.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    pthread_setname_np(pthread_self(), "http");
    shared.io.run();
  });
}

void Server::stop() {
  if (!state_->thread.joinable()) return;
  state_->work.reset();
  state_->shared->io.stop();
  state_->thread.join();
  state_->shared->pool.join();
}

void Server::listen(int fd, ListenerOptions options) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  asio::post(state_->shared->io, [state = state_.get(), owned = Fd(fd), chosen = std::move(options)]() mutable {
    state->shared->crowd.open(chosen.label, chosen.connections);
    auto listener = std::make_shared<Listener>(state->shared->io, owned.release(), std::move(chosen));
    state->listeners.push_back(listener);
    asio::co_spawn(state->shared->io, state->accept_on(listener), asio::detached);
  });
}

void Server::close_listener(const std::string& label) {
  asio::post(state_->shared->io, [state = state_.get(), label] {
    std::erase_if(state->listeners, [&label](const std::shared_ptr<Listener>& listener) {
      if (listener->options.label != label) return false;
      listener->closed = true;
      listener->socket.close();
      return true;
    });
    state->shared->crowd.close(label);
  });
}

std::size_t Server::connections() const { return state_->shared->connection_count.load(); }

asio::awaitable<void> Server::State::accept_on(std::shared_ptr<Listener> listener) {
  for (int accepted = 0; !listener->closed;) {
    const int fd = ::accept4(listener->socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      admit(fd, listener->options);
      // Those who have connected and those who make room get their turn.
      if (++accepted % kAcceptsAtOnce == 0) co_await asio::post(asio::use_awaitable);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      const auto [failed] = co_await listener->socket.async_wait(asio::posix::stream_descriptor::wait_read, kAwait);
      if (failed) co_return;
    } else if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      log::error("front", std::string("A connection cannot be accepted: ") + std::strerror(error));
      asio::steady_timer pause(shared->io, kAcceptPause);
      co_await pause.async_wait(kAwait);
    } else if (error == EBADF || error == EINVAL || error == ENOTSOCK) {
      log::error("front", "The socket of " + listener->options.label + " does not listen.");
      co_return;
    }
  }
}

void Server::State::admit(int fd, const ListenerOptions& options) {
  Fd socket(fd);
  if (options.only_user) {
    const std::optional<uid_t> user = peer_user(fd);
    if (!user || (*user != *options.only_user && *user != 0)) return;
  }
  if (!shared->crowd.make_room(options.label)) {
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 31\r\nConnection: "
        "close\r\n\r\n"
        "There are too many connections\n";
    ::send(fd, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Peer peer = describe_peer(fd);
  peer.listener = options.label;
  const auto connection = std::make_shared<Connection>(shared, socket.release(), std::move(peer), options.tls);
  if (std::exchange(is_resting, false)) next_sweep.cancel();
  asio::co_spawn(shared->io, Connection::run(connection), [](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
      log::error("front", std::string("A connection ended by an error: ") + exception.what());
    }
  });
}

asio::awaitable<void> Server::State::sweep() {
  for (;;) {
    is_resting = shared->connection_count == 0;
    if (is_resting)
      next_sweep.expires_at(asio::steady_timer::time_point::max());
    else
      next_sweep.expires_after(sweep_interval(shared->limits));
    co_await next_sweep.async_wait(kAwait);
    const auto now = std::chrono::steady_clock::now();
    for (const Phase phase : {Phase::waiting, Phase::receiving, Phase::answering, Phase::working})
      shared->crowd.for_each(phase, [now](Crowd::Guest& guest) { static_cast<Connection&>(guest).look_after(now); });
  }
}

}  // namespace brume::http
