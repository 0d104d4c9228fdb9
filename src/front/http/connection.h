// One client's connection: one coroutine that reads heads, hands each request to the Application and does what is asked
// for it, one request after the other. I/O thread. Includes Asio: only for .cpp files of this folder.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/time.h"
#include "front/http/body_reader.h"
#include "front/http/crowd.h"
#include "front/http/exchange.h"
#include "front/http/fd.h"
#include "front/http/limits.h"
#include "front/http/stream.h"
#include "front/http/tls.h"

namespace brume {
class ByteQueue;
}

namespace brume::http {

class Connection;

// What the connections of a server share. The server owns it; exchanges that outlive the server hold it weakly.
struct Shared {
  explicit Shared(const Limits& chosen) : limits(chosen), crowd(chosen.connections, chosen.held_bytes) {}
  Limits limits;
  Crowd crowd;  // connections leave it when `io` drops them, so this must outlive it
  std::atomic<std::size_t> connection_count = 0;
  asio::io_context io{1};
  asio::thread_pool pool{2};  // digests and spool files of large bodies
  // Where bytes arrive before they are put where they belong: connections that wait need no buffers of their own.
  std::array<char, 64 * 1024> arrivals;
  Application* application = nullptr;
  Clock* clock = nullptr;
  std::unique_ptr<TlsContexts> tls;  // null: no TLS here
  std::string spool_directory;
  std::uint64_t spooled = 0;  // files made so far, for their names
};

// Orders that an Exchange gives its connection.
struct ReceiveOrder {
  BodyPlan plan;
  Exchange::BodyDone done;
};
struct ReplyOrder {
  HttpReply reply;
  std::shared_ptr<ByteQueue> stream;  // shared with who makes the answer; null: its body is there
};
struct TunnelOrder {
  Fd fd;
  std::string head;
};
using Order = std::variant<ReceiveOrder, ReplyOrder, TunnelOrder>;

class Connection final : public Crowd::Guest, public std::enable_shared_from_this<Connection> {
 public:
  Connection(const std::shared_ptr<Shared>& shared, int fd, Peer peer, bool tls_allowed);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  // The whole life of the connection. `self` keeps it alive.
  static asio::awaitable<void> run(std::shared_ptr<Connection> self);

  // From the request's exchange; one that belongs to an earlier request is ignored.
  void accept_order(std::uint64_t request, Order order);
  void dismiss() override;
  // Called now and then: ends it when its deadline has passed, or when nobody waits for the answer any more.
  void look_after(Stream::Moment now);

 private:
  asio::awaitable<void> live();
  asio::awaitable<bool> start();
  // False: the connection ends.
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> read_head();  // false: there is no further request
  asio::awaitable<void> wait_for_order();
  asio::awaitable<void> receive(ReceiveOrder& order, BodyReader& body);
  ReceivedBody take_whole(BodyPlan plan, BodyReader& body);  // that has arrived
  asio::awaitable<ReceivedBody> receive_whole(BodyPlan plan, BodyReader& body);
  asio::awaitable<void> send(HttpReply&& reply, bool keep_alive);
  asio::awaitable<void> send_stream(HttpReply reply, std::shared_ptr<ByteQueue> bytes, bool keep_alive);
  asio::awaitable<void> send_chunks(ByteQueue& bytes);
  asio::awaitable<bool> answer(ReplyOrder& order, BodyReader& body);
  asio::awaitable<void> refuse(HeadProblem problem);
  asio::awaitable<void> part();  // a last answer was sent
  asio::awaitable<void> tunnel(TunnelOrder order);

  asio::awaitable<void> pump(Stream& from, Stream& to);
  std::string spool_path();
  void hold_upload(std::size_t bytes) { hold(head_bytes_ + input_.held() + bytes); }

  Shared& shared_;
  std::weak_ptr<Shared> weak_shared_;
  Peer peer_;
  bool tls_allowed_;
  Stream stream_;
  InputBuffer input_;
  std::shared_ptr<const RequestHead> head_;  // shared with the request's exchange, which other threads read
  std::uint64_t request_ = 0;                // counts the requests of this connection
  std::deque<Order> orders_;
  HttpReply answer_;            // while it is sent
  asio::steady_timer ordered_;  // never expires; cancelled when an order comes, or more of an answer
  std::size_t head_bytes_ = 0;  // of the present request
  bool idle_ = true;            // nothing of the next request has come
  bool body_broken_ = false;
  bool awaits_continue_ = false;                // the client may wait for 100 before it sends the body
  bool answered_ = false;                       // the present request
  std::optional<Stream::Moment> client_ended_;  // when it was seen that the client sends nothing more
};

}  // namespace brume::http
