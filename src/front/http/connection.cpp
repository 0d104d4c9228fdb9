#include "front/http/connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <utility>

#include "core/byte_queue.h"
#include "core/log.h"
#include "front/http/reply.h"

namespace brume::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::uint64_t kWorthDraining = 64 * 1024;  // of an unwanted body, to keep the connection

// Lives where the application keeps it, on any thread; the loop is only reached while the server lives.
class ConnectionExchange final : public Exchange {
 public:
  ConnectionExchange(std::weak_ptr<Connection> connection, std::weak_ptr<Shared> shared, std::uint64_t request,
                     std::shared_ptr<const RequestHead> head, Peer peer)
      : connection_(std::move(connection)),
        shared_(std::move(shared)),
        request_(request),
        head_(std::move(head)),
        peer_(std::move(peer)) {}
  ConnectionExchange(const ConnectionExchange&) = delete;
  ConnectionExchange& operator=(const ConnectionExchange&) = delete;
  ~ConnectionExchange() override {
    if (!answered_) reply({.status = 500});
  }

  const RequestHead& head() const override { return *head_; }
  const Peer& peer() const override { return peer_; }
  bool on_io_thread() const override {
    const std::shared_ptr<Shared> shared = shared_.lock();
    return shared != nullptr && shared->io.get_executor().running_in_this_thread();
  }
  void post(std::move_only_function<void()> function) override {
    if (const std::shared_ptr<Shared> shared = shared_.lock()) asio::post(shared->io, std::move(function));
  }
  void receive_body(BodyPlan plan, BodyDone done) override { order(ReceiveOrder{std::move(plan), std::move(done)}); }
  void reply(HttpReply reply) override {
    answered_ = true;
    order(ReplyOrder{std::move(reply), nullptr});
  }
  void reply_stream(HttpReply head, std::shared_ptr<ByteQueue> bytes) override {
    answered_ = true;
    order(ReplyOrder{std::move(head), std::move(bytes)});
  }
  void tunnel(int fd, std::string head) override {
    answered_ = true;
    order(TunnelOrder{Fd(fd), std::move(head)});
  }

 private:
  void order(Order order) {
    const std::shared_ptr<Shared> shared = shared_.lock();
    if (shared == nullptr) return;
    if (shared->io.get_executor().running_in_this_thread()) {
      if (const auto alive = connection_.lock()) alive->accept_order(request_, std::move(order));
      return;
    }
    asio::post(shared->io, [connection = connection_, request = request_, order = std::move(order)]() mutable {
      if (const auto alive = connection.lock()) alive->accept_order(request, std::move(order));
    });
  }

  std::weak_ptr<Connection> connection_;
  std::weak_ptr<Shared> shared_;
  std::uint64_t request_;
  std::shared_ptr<const RequestHead> head_;
  Peer peer_;
  bool answered_ = false;
};

// A file that an answer is sent from.
Fd open_body_file(const Body& body) {
  const std::string& path = !body.file.empty() ? body.file : body.spool->path();
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) log::error("front", "The answer's file " + path + " cannot be opened.");
  return file;
}

}  // namespace

Connection::Connection(const std::shared_ptr<Shared>& shared, int fd, Peer peer, bool tls_allowed)
    : Guest(shared->crowd, peer.listener),
      shared_(*shared),
      weak_shared_(shared),
      peer_(std::move(peer)),
      tls_allowed_(tls_allowed),
      stream_(shared->io, fd),
      input_(shared->arrivals),
      ordered_(shared->io, asio::steady_timer::time_point::max()) {
  ++shared_.connection_count;
}

Connection::~Connection() { --shared_.connection_count; }

void Connection::dismiss() {
  move_to(Phase::leaving);
  // An answer that waits to be sent, or that nobody takes, is not held until this connection has its turn: a closed
  // stream reads no more of it.
  orders_.clear();
  answer_ = {};
  stream_.close();
  ordered_.cancel();
}

// A client that ended its side may still read: one that only closed its writing half gets its answer if that comes
// soon.
void Connection::look_after(Stream::Moment now) {
  if (stream_.deadline() <= now) return stream_.expire();
  if (phase() != Phase::working) return;
  switch (stream_.look()) {
    case Stream::Other::there:
      return;
    case Stream::Other::gone:
      return dismiss();
    case Stream::Other::ended:
      break;
  }
  if (!client_ended_) client_ended_ = now;
  if (now - *client_ended_ >= shared_.limits.linger) dismiss();
}

void Connection::accept_order(std::uint64_t request, Order order) {
  if (request != request_ || answered_) return;
  answered_ = !std::holds_alternative<ReceiveOrder>(order);
  const auto* answer = std::get_if<ReplyOrder>(&order);
  const std::size_t bytes = answer != nullptr ? answer->reply.body.bytes.capacity() : 0;
  orders_.push_back(std::move(order));
  ordered_.cancel();
  // Counted from now on: a thousand may come before the first is sent.
  if (answer == nullptr || phase() != Phase::working) return;
  move_to(Phase::answering);
  hold(bytes + input_.held());
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  try {
    co_await self->live();
  } catch (const ConnectionLost&) {
    // The client went, was too slow, or the server stops: there is nobody to tell.
  }
}

asio::awaitable<void> Connection::live() {
  if (!co_await start()) co_return;
  while (co_await serve_one()) {
  }
}

asio::awaitable<bool> Connection::start() {
  stream_.set_deadline(shared_.limits.idle);
  const int first = co_await stream_.peek();
  if (first < 0) co_return false;
  if (first == 0x16 && tls_allowed_ && shared_.tls != nullptr) {  // a TLS handshake record
    stream_.set_deadline(shared_.limits.handshake_time);
    co_await stream_.start_tls(*shared_.tls, peer_.local_address);
    peer_.secure = true;
  }
  co_return true;
}

asio::awaitable<bool> Connection::read_head() {
  move_to(Phase::waiting);
  hold(input_.held());
  head_.reset();
  idle_ = input_.view().empty();
  stream_.set_deadline(idle_ ? shared_.limits.idle : shared_.limits.head_time);
  std::size_t searched = 0;
  std::shared_ptr<RequestHead> head;
  HeadResult result;
  for (;;) {
    if (!input_.view().empty()) {
      if (std::exchange(idle_, false)) stream_.set_deadline(shared_.limits.head_time);
      if (head == nullptr) head = std::make_shared<RequestHead>();
      result = parse_head(input_.view(), searched, shared_.limits.head, *head);
      searched = input_.view().size();
      if (result.state != HeadResult::State::incomplete) break;
    }
    bool timed_out = false;
    try {
      if (!co_await input_.fill(stream_)) co_return false;
      hold(input_.held());
    } catch (const ConnectionLost& lost) {
      if (!lost.timed_out || idle_) throw;
      timed_out = true;
    }
    if (timed_out) {
      result = {.state = HeadResult::State::refused, .problem = {408, "The request's head took too long to arrive."}};
      break;
    }
  }
  stream_.clear_deadline();
  if (result.state == HeadResult::State::refused) {
    co_await refuse(std::move(result.problem));
    co_return false;
  }
  input_.consume(result.size);
  head_bytes_ = result.size;
  head_ = std::move(head);
  co_return true;
}

asio::awaitable<bool> Connection::serve_one() {
  if (phase() == Phase::leaving || !co_await read_head()) co_return false;
  move_to(Phase::working);
  ++request_;
  answered_ = false;
  body_broken_ = false;
  awaits_continue_ = head_->expects_continue;
  orders_.clear();
  BodyReader body(stream_, input_, *head_);
  shared_.application->on_request(
      std::make_shared<ConnectionExchange>(weak_from_this(), weak_shared_, request_, head_, peer_));
  for (;;) {
    if (orders_.empty()) co_await wait_for_order();
    Order order = std::move(orders_.front());
    orders_.pop_front();
    if (auto* receiving = std::get_if<ReceiveOrder>(&order)) {
      co_await receive(*receiving, body);
    } else if (auto* tunnelling = std::get_if<TunnelOrder>(&order)) {
      co_await tunnel(std::move(*tunnelling));
      co_return false;
    } else {
      co_return co_await answer(std::get<ReplyOrder>(order), body);
    }
  }
}

asio::awaitable<void> Connection::wait_for_order() {
  while (orders_.empty()) {
    if (phase() == Phase::leaving) throw ConnectionLost{};
    co_await ordered_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<void> Connection::receive(ReceiveOrder& order, BodyReader& body) {
  move_to(Phase::receiving);
  stream_.set_progress_deadline(shared_.limits.body_progress);
  std::expected<ReceivedBody, AwsError> result;
  try {
    BRUME_CHECK(!body.started());
    const std::uint64_t announced =
        order.plan.aws_chunked ? order.plan.aws_chunked->decoded_length : head_->content_length.value_or(0);
    if (announced > order.plan.limit) throw BodyProblem{body_too_large(order.plan.limit)};
    // Said for an empty body too: RFC 9110 lets a server leave it out, but botocore waits for it all the same. A client
    // that has sent more did not wait.
    if (std::exchange(awaits_continue_, false) && input_.view().empty()) co_await stream_.write(kContinue);
    if (body.has_arrived())
      result = take_whole(std::move(order.plan), body);
    else
      result = co_await receive_whole(std::move(order.plan), body);
  } catch (const BodyProblem& problem) {
    body_broken_ = true;
    result = std::unexpected(problem.error);
  }
  stream_.clear_deadline();
  if (phase() == Phase::leaving) throw ConnectionLost{};
  move_to(Phase::working);
  order.done(std::move(result));
}

asio::awaitable<void> Connection::send(HttpReply&& reply, bool keep_alive) {
  const bool from_file = !reply.body.file.empty() || (reply.body.spool != nullptr && reply.body.bytes.empty());
  const bool has_body = reply_has_body(reply, *head_);
  Fd file;
  if (from_file && has_body) {
    file = open_body_file(reply.body);
    if (!file) reply = {.status = 500};
  }
  if (!file && !from_file) reply.body.size = reply.body.bytes.size();
  answer_ = std::move(reply);
  hold(answer_.body.bytes.capacity() + input_.held());
  if (phase() == Phase::leaving) throw ConnectionLost{};
  const std::string head = render_reply_head(answer_, *head_, keep_alive, shared_.clock->now());
  stream_.set_progress_deadline(shared_.limits.write_progress);
  co_await stream_.write(head, has_body && !file ? std::string_view(answer_.body.bytes) : std::string_view());
  if (file) co_await stream_.write_file(file.get(), answer_.body.offset, answer_.body.size);
  answer_ = {};
}

// An answer that is made while it is sent. Meanwhile the client may go: look_after() sees it, as while a request works.
asio::awaitable<void> Connection::send_stream(HttpReply reply, std::shared_ptr<ByteQueue> bytes, bool keep_alive) {
  // Whatever way the answer ends, its maker learns of it.
  struct Closer {
    ByteQueue& queue;
    explicit Closer(ByteQueue& given) : queue(given) {}
    Closer(const Closer&) = delete;
    Closer& operator=(const Closer&) = delete;
    ~Closer() { queue.close(); }
  } closer(*bytes);
  bytes->on_write([connection = weak_from_this(), shared = weak_shared_] {
    if (const std::shared_ptr<Shared> alive = shared.lock())
      asio::post(alive->io, [connection] {
        if (const auto self = connection.lock()) self->ordered_.cancel();
      });
  });
  stream_.set_progress_deadline(shared_.limits.write_progress);
  co_await stream_.write(render_reply_head(reply, *head_, keep_alive, shared_.clock->now(), true));
  if (reply_has_body(reply, *head_)) co_await send_chunks(*bytes);
}

// A chunk for what there is ("Chunked transfer coding", RFC 9112), then the wait for more.
asio::awaitable<void> Connection::send_chunks(ByteQueue& bytes) {
  const bool chunked = !head_->http_1_0;
  for (;;) {
    const std::string piece = bytes.take();
    if (!piece.empty()) {
      move_to(Phase::answering);
      stream_.set_progress_deadline(shared_.limits.write_progress);
      char size[20];
      const int length = std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
      if (chunked) co_await stream_.write({size, static_cast<std::size_t>(length)});
      co_await stream_.write(piece, chunked ? std::string_view("\r\n") : std::string_view());
      continue;
    }
    if (bytes.broken() || phase() == Phase::leaving) throw ConnectionLost{};
    if (bytes.at_end()) break;
    stream_.clear_deadline();
    move_to(Phase::working);
    co_await ordered_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (phase() == Phase::leaving) throw ConnectionLost{};
  }
  move_to(Phase::answering);
  stream_.set_progress_deadline(shared_.limits.write_progress);
  if (chunked) co_await stream_.write("0\r\n\r\n");
}

// The connection is kept only if the next request's first byte is known to be what follows on it. A client that was
// told neither to send its body nor not to may do either; one with nothing to send is parted from as well, since
// botocore cannot use a connection again on which an answer came instead of 100.
asio::awaitable<bool> Connection::answer(ReplyOrder& order, BodyReader& body) {
  const bool never_asked = awaits_continue_ && input_.view().empty();
  const bool drainable = !never_asked && (body.finished() || body.left() <= kWorthDraining);
  const bool keep_alive = head_->keep_alive && !body_broken_ && drainable && phase() != Phase::leaving;
  move_to(Phase::answering);
  // Without chunks the end of the connection is the end of the answer.
  const bool keep = keep_alive && (order.stream == nullptr || !head_->http_1_0);
  if (order.stream != nullptr)
    co_await send_stream(std::move(order.reply), std::move(order.stream), keep);
  else
    co_await send(std::move(order.reply), keep);
  if (!keep) {
    co_await part();
    co_return false;
  }
  try {
    while (!body.finished()) co_await body.read(shared_.arrivals.data(), shared_.arrivals.size());
  } catch (const BodyProblem&) {
    co_return false;
  }
  co_return true;
}

asio::awaitable<void> Connection::refuse(HeadProblem problem) {
  head_ = std::make_shared<RequestHead>();
  co_await send(shared_.application->refusal(problem), false);
  co_await part();
}

asio::awaitable<void> Connection::part() {
  stream_.shut_down_writing();
  stream_.set_deadline(shared_.limits.linger);
  co_await stream_.drain();
}

}  // namespace brume::http
