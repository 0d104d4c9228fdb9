#include "planes/keeper/keeper_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/log.h"
#include "planes/keeper/children.h"
#include "planes/keeper/keeper_process.h"
#include "planes/keeper/launch.h"
#include "planes/keeper/process.h"
#include "planes/keeper/protocol.h"
#include "planes/keeper/spool.h"

namespace brume {
namespace {

using keeper::decode;
using keeper::Descriptor;
using keeper::encode;
using keeper::Frame;
using keeper::Message;

constexpr std::chrono::milliseconds kRetryPause(1000), kSendPatience(1000);

// What the control thread's functions need; shared with functions that were posted and may run after the client went.
struct Subscribers {
  std::vector<std::function<void(const Child&)>> exits;
  std::vector<std::function<void(std::vector<Keeper::Line>)>> lines;
  std::vector<std::function<void(const KeeperClient::Connected&)>> connections;
  std::map<std::string, Child> living;  // to tell their ends when the keeper itself has died

  void exited(const Child& child) {
    living.erase(child.id);
    for (std::size_t i = 0; i < exits.size(); ++i) exits[i](child);
  }
  void keeper_died() {
    for (const auto& [id, child] : std::exchange(living, {})) {
      Child ended = child;
      ended.running = false;
      ended.exit = {0, SIGKILL, keeper::now_ms()};
      exited(ended);
    }
  }
};

class SocketKeeperClient final : public KeeperClient {
 public:
  SocketKeeperClient(KeeperClientOptions options, Control& control);
  ~SocketKeeperClient() override;

  void spawn(SpawnSpec spec, std::function<void(Spawned)> done) override;
  void run(RunSpec spec, std::function<void(RunResult)> done) override;
  void list(std::function<void(std::vector<Child>)> done) override;
  void mount_overlay(OverlayMount mount, std::function<void(std::string)> done) override;
  void unmount(const std::string& path, std::function<void(std::string)> done) override;
  void signal(const std::string& id, int signal) override { order(Message::signal, id, signal); }
  void stop(const std::string& id, int signal, std::int64_t grace_ms) override {
    order(Message::stop, id, signal, grace_ms);
  }
  void write_input(const std::string& id, std::string bytes) override { order(Message::input, id, bytes); }
  void forget(const std::string& id) override { order(Message::forget, id); }
  void acknowledge(const std::string& id, std::uint64_t sequence) override {
    order(Message::acknowledge, id, sequence);
  }
  void open_log_socket(const std::string& path, std::string id) override { order(Message::open_log_socket, path, id); }
  void close_log_socket(const std::string& id) override { order(Message::close_log_socket, id); }
  void on_exit(std::function<void(const Child&)> callback) override { subscribers_->exits.push_back(callback); }
  void on_lines(std::function<void(std::vector<Line>)> callback) override { subscribers_->lines.push_back(callback); }
  void begin() override {
    thread_ = std::thread([this] { work(); });
  }
  void on_connected(std::function<void(const Connected&)> callback) override {
    subscribers_->connections.push_back(callback);
  }
  void shut_down(std::function<void()> done) override;

 private:
  // An answer's payload, or the reason why none will come.
  using OnReply = std::move_only_function<void(std::string_view payload, const std::string& error)>;

  template <class Answer, class... T>
  void request(Message type, std::function<void(Answer, const std::string& error)> done, const T&... values);
  template <class... T>
  void order(Message type, const T&... values) {
    send(type, encode(values...));
  }
  void send(Message type, const std::string& payload);
  void wake() const;
  void take_wakeup() const;

  // The rest runs on the client's own thread.
  void work();
  bool connect();
  bool ended();
  void serve();
  void send_rest();
  bool exchange(short events);
  bool receive();
  bool flush();
  void handle(const Frame& frame);
  void welcome(const std::string& payload);
  void failed(const std::string& error);
  void drop_pending(const std::string& error);
  void wait_to_retry();
  bool stopped();

  const KeeperClientOptions options_;
  Control& control_;
  // Shared with posted functions, which may run after the client's end.
  const std::shared_ptr<Subscribers> subscribers_ = std::make_shared<Subscribers>();
  Descriptor wake_;

  std::mutex mutex_;  // guards what follows
  std::string out_;
  std::map<std::uint64_t, OnReply> pending_;
  std::uint64_t next_request_ = 1;
  bool stopped_ = false;
  std::string over_;  // why nothing is asked of the keeper any more
  std::function<void()> shut_down_done_;

  Descriptor socket_;
  keeper::FrameReader reader_;
  std::string sending_;
  std::int64_t incarnation_ = 0;       // of the keeper that is connected; 0: none
  std::int64_t last_incarnation_ = 0;  // of the last one that was
  std::thread thread_;
};

SocketKeeperClient::SocketKeeperClient(KeeperClientOptions options, Control& control)
    : options_(std::move(options)), control_(control), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw_errno("eventfd");
  if (options_.connects_at_once) begin();
}

SocketKeeperClient::~SocketKeeperClient() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

void SocketKeeperClient::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

bool SocketKeeperClient::stopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void SocketKeeperClient::send(Message type, const std::string& payload) {
  bool idle = false;
  {
    const std::lock_guard lock(mutex_);
    if (!over_.empty() && type != Message::shut_down) return;
    idle = out_.empty();
    keeper::append_frame(out_, static_cast<std::uint8_t>(type), payload);
  }
  if (idle) wake();
}

template <class Answer, class... T>
void SocketKeeperClient::request(Message type, std::function<void(Answer, const std::string&)> done,
                                 const T&... values) {
  OnReply on_reply = [&control = control_, done = std::move(done)](std::string_view payload,
                                                                   const std::string& error) mutable {
    Answer answer{};
    if (error.empty()) decode(payload, answer);
    control.post([done = std::move(done), answer = std::move(answer), error] { done(answer, error); });
  };
  bool idle = false;
  {
    // The request and the place of its reply at once: a lost connection drops both or neither.
    const std::lock_guard lock(mutex_);
    if (!over_.empty()) return on_reply({}, over_);
    idle = out_.empty();
    const std::uint64_t number = next_request_++;
    keeper::append_frame(out_, static_cast<std::uint8_t>(type), encode(number, values...));
    pending_[number] = std::move(on_reply);
  }
  if (idle) wake();
}

void SocketKeeperClient::spawn(SpawnSpec spec, std::function<void(Spawned)> done) {
  request<Spawned>(
      Message::spawn,
      [done, subscribers = subscribers_, id = spec.id, owner = spec.owner](Spawned spawned, const std::string& error) {
        if (!error.empty()) spawned.error = error;
        if (spawned.pid != 0) subscribers->living[id] = {id, owner, spawned.pid, true, {}, keeper::now_ms()};
        done(std::move(spawned));
      },
      spec);
}

void SocketKeeperClient::run(RunSpec spec, std::function<void(RunResult)> done) {
  request<RunResult>(
      Message::run,
      [done](RunResult result, const std::string& error) {
        if (!error.empty()) result.error = error;
        done(std::move(result));
      },
      spec);
}

void SocketKeeperClient::list(std::function<void(std::vector<Child>)> done) {
  request<std::vector<Child>>(Message::list,
                              [done, subscribers = subscribers_](std::vector<Child> children, const std::string&) {
                                for (const Child& child : children) {
                                  if (child.running) subscribers->living[child.id] = child;
                                }
                                done(std::move(children));
                              });
}

void SocketKeeperClient::mount_overlay(OverlayMount mount, std::function<void(std::string)> done) {
  request<std::string>(
      Message::mount_overlay,
      [done](const std::string& refused, const std::string& error) { done(error.empty() ? refused : error); }, mount);
}

void SocketKeeperClient::unmount(const std::string& path, std::function<void(std::string)> done) {
  request<std::string>(
      Message::unmount,
      [done](const std::string& refused, const std::string& error) { done(error.empty() ? refused : error); }, path);
}

void SocketKeeperClient::shut_down(std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    shut_down_done_ = std::move(done);
    over_ = "the keeper was shut down";
  }
  send(Message::shut_down, "");
}

void SocketKeeperClient::take_wakeup() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
}

// Requests that come meanwhile wake nobody: each would start another keeper that cannot start either.
void SocketKeeperClient::wait_to_retry() {
  const auto end = std::chrono::steady_clock::now() + kRetryPause;
  while (!stopped()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    pollfd wakeup{wake_.get(), POLLIN, 0};
    if (::poll(&wakeup, 1, static_cast<int>(left.count())) > 0) take_wakeup();
  }
}

void SocketKeeperClient::work() {
  while (!stopped()) {
    if (connect()) serve();
    socket_.reset();
    drop_pending("the connection to the keeper was lost");
    if (ended()) return;
    // A failed attempt is repeated a second later, a lost connection at once.
    if (incarnation_ == 0) wait_to_retry();
  }
}

// Whether this client has nothing more to do: it asked for the keeper's end, or another daemon took over.
bool SocketKeeperClient::ended() {
  const std::lock_guard lock(mutex_);
  if (shut_down_done_) control_.post([done = std::exchange(shut_down_done_, nullptr)] { done(); });
  return !over_.empty();
}

bool SocketKeeperClient::connect() {
  reader_ = {};
  sending_.clear();
  const std::string path = keeper_socket_path(options_.run_directory);
  socket_ = keeper::connect_to(path);
  if (!socket_) {
    const std::string error = keeper::launch(options_.command, {"--run", options_.run_directory, "--state",
                                                                options_.state_directory, "--cgroup", options_.cgroup});
    if (error.empty()) socket_ = keeper::connect_to(path);
    if (!socket_) {
      failed(error.empty() ? "connect to " + path + ": " + std::strerror(errno) : error);
      return false;
    }
  }
  keeper::append_frame(sending_, static_cast<std::uint8_t>(Message::hello), encode(keeper::kProtocolVersion));
  return true;
}

void SocketKeeperClient::failed(const std::string& error) {
  incarnation_ = 0;
  log::error("keeper", error);
  control_.post([subscribers = subscribers_, error] {
    for (const auto& callback : subscribers->connections) callback({0, false, error});
  });
  drop_pending(error);
}

// Requests that were sent and not answered, and whatever waited to be sent, are lost with the connection.
void SocketKeeperClient::drop_pending(const std::string& error) {
  std::map<std::uint64_t, OnReply> pending;
  {
    const std::lock_guard lock(mutex_);
    pending.swap(pending_);
    out_.clear();
  }
  for (auto& [number, on_reply] : pending) on_reply({}, error);
}

void SocketKeeperClient::serve() {
  bool open = true;
  while (open && !stopped()) {
    {
      const std::lock_guard lock(mutex_);
      sending_ += std::exchange(out_, {});
    }
    const short wanted = sending_.empty() ? POLLIN : POLLIN | POLLOUT;
    std::array<pollfd, 2> watched = {pollfd{socket_.get(), wanted, 0}, pollfd{wake_.get(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    if (watched[1].revents != 0) take_wakeup();
    open = exchange(watched[0].revents);
  }
  if (open) send_rest();
}

// What was asked before the client's end still reaches the keeper.
void SocketKeeperClient::send_rest() {
  const std::lock_guard lock(mutex_);
  sending_ += std::exchange(out_, {});
  while (!sending_.empty() && flush()) {
    pollfd writable{socket_.get(), POLLOUT, 0};
    if (::poll(&writable, 1, static_cast<int>(kSendPatience.count())) <= 0) return;
  }
}

bool SocketKeeperClient::exchange(short events) {
  try {
    if ((events & POLLOUT) != 0 && !flush()) return false;
    return (events & (POLLIN | POLLHUP | POLLERR)) == 0 || receive();
  } catch (const PlaneError& error) {
    failed(error.message);
    return false;
  }
}

bool SocketKeeperClient::flush() {
  const ssize_t sent = ::send(socket_.get(), sending_.data(), sending_.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  sending_.erase(0, static_cast<std::size_t>(sent));
  return true;
}

bool SocketKeeperClient::receive() {
  std::array<char, 65'536> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  reader_.feed({buffer.data(), static_cast<std::size_t>(got)});
  while (std::optional<Frame> frame = reader_.next()) handle(*frame);
  return true;
}

void SocketKeeperClient::welcome(const std::string& payload) {
  std::uint32_t version = 0;
  int pid = 0;
  std::int64_t incarnation = 0;
  decode(payload, version, pid, incarnation);
  if (version != keeper::kProtocolVersion) {
    throw PlaneError(PlaneError::Kind::permanent, "the keeper that runs is of another version of brume (" +
                                                      std::to_string(version) + "); `brume down` ends it");
  }
  const bool fresh = last_incarnation_ != 0 && incarnation != last_incarnation_;
  incarnation_ = last_incarnation_ = incarnation;
  control_.post([subscribers = subscribers_, pid, fresh] {
    if (fresh) subscribers->keeper_died();
    for (const auto& callback : subscribers->connections) callback({pid, fresh, ""});
  });
}

void SocketKeeperClient::handle(const Frame& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::welcome:
      return welcome(frame.payload);
    case Message::replaced: {
      const std::lock_guard lock(mutex_);
      over_ = "another daemon has connected to this instance's keeper";
    }
      return failed(over_);
    case Message::reply: {
      std::uint64_t number = 0;
      decode(frame.payload, number);
      decltype(pending_)::node_type node;
      {
        const std::lock_guard lock(mutex_);
        node = pending_.extract(number);
      }
      if (!node.empty()) node.mapped()(std::string_view(frame.payload).substr(sizeof number), "");
      return;
    }
    case Message::exit: {
      Child child;
      decode(frame.payload, child);
      return control_.post([subscribers = subscribers_, child = std::move(child)] { subscribers->exited(child); });
    }
    case Message::lines: {
      std::string id, records;
      decode(frame.payload, id, records);
      return control_.post([subscribers = subscribers_, lines = keeper::parse_records(id, records)] {
        for (std::size_t i = 0; i < subscribers->lines.size(); ++i) subscribers->lines[i](lines);
      });
    }
    default:
      throw PlaneError(PlaneError::Kind::permanent, "an unknown message of the keeper");
  }
}

}  // namespace

std::unique_ptr<KeeperClient> make_keeper_client(KeeperClientOptions options, Control& control) {
  return std::make_unique<SocketKeeperClient>(std::move(options), control);
}

}  // namespace brume
