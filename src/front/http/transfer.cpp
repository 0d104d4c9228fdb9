// The long-running parts of a connection: receiving large bodies beside the spool pool, and tunnels.
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "front/http/connection.h"

namespace brume::http {
namespace {

constexpr std::size_t kPiece = 256 * 1024;        // received and handed to the pool at once
constexpr std::uint64_t kInlineBody = 64 * 1024;  // smaller bodies are not worth a change of threads
constexpr std::size_t kTunnelPiece = 64 * 1024;
constexpr std::chrono::minutes kTunnelIdle{10};

// A body on its way: while the pool digests and writes one piece, the next one is read. Shared between the coroutine
// and the pool's job, whichever ends last.
struct Upload {
  Upload(BodyPlan plan, std::string spool_path, asio::io_context& io)
      : sink(std::move(plan), std::move(spool_path)), finished(io, asio::steady_timer::time_point::max()) {}
  BodySink sink;
  std::array<std::vector<char>, 2> pieces;
  bool running = false;
  std::optional<AwsError> failed;
  asio::steady_timer finished;
};

void start_piece(Shared& shared, const std::shared_ptr<Upload>& upload, std::string_view piece) {
  upload->running = true;
  asio::post(shared.pool, [upload, piece, &io = shared.io] {
    auto failed = upload->sink.consume(piece);
    asio::post(io, [upload, failed = std::move(failed)]() mutable {
      upload->failed = std::move(failed);
      upload->running = false;
      upload->finished.cancel();
    });
  });
}

asio::awaitable<void> finish_piece(std::shared_ptr<Upload> upload) {
  while (upload->running) co_await upload->finished.async_wait(asio::as_tuple(asio::use_awaitable));
  if (upload->failed) throw BodyProblem{*upload->failed};
}

asio::awaitable<std::size_t> read_piece(BodyReader& body, std::vector<char>& piece) {
  piece.resize(kPiece);
  std::size_t filled = 0;
  while (filled < piece.size() && !body.finished())
    filled += co_await body.read(piece.data() + filled, piece.size() - filled);
  co_return filled;
}

}  // namespace

asio::awaitable<ReceivedBody> Connection::receive_whole(BodyPlan plan, BodyReader& body) {
  const std::string path = shared_.spool_directory + "/body-" + std::to_string(++shared_.spooled);
  const auto upload = std::make_shared<Upload>(std::move(plan), path, shared_.io);
  if (body.left() <= kInlineBody) {
    std::vector<char> whole(static_cast<std::size_t>(body.left()));
    std::size_t filled = 0;
    while (!body.finished()) filled += co_await body.read(whole.data() + filled, whole.size() - filled);
    if (auto failed = upload->sink.consume({whole.data(), filled})) throw BodyProblem{*std::move(failed)};
  } else {
    for (std::size_t turn = 0; !body.finished(); turn ^= 1) {
      std::vector<char>& piece = upload->pieces[turn];
      const std::size_t size = co_await read_piece(body, piece);
      // A slow disk is not the client's fault.
      stream_.clear_deadline();
      co_await finish_piece(upload);
      stream_.set_progress_deadline(shared_.limits.body_progress);
      start_piece(shared_, upload, {piece.data(), size});
    }
    stream_.clear_deadline();
    co_await finish_piece(upload);
  }
  auto received = upload->sink.finish();
  if (!received) throw BodyProblem{received.error()};
  if (head_->chunked)
    for (const auto& trailer : body.trailers()) received->trailers.push_back(trailer);
  co_return *std::move(received);
}

asio::awaitable<void> Connection::pump(Stream& from, Stream& to) {
  std::vector<char> piece(kTunnelPiece);
  try {
    for (;;) {
      const std::size_t got = co_await from.read(piece.data(), piece.size());
      if (got == 0) break;
      co_await to.write({piece.data(), got});
      co_await from.give_way();
    }
    to.shut_down_writing();
  } catch (const ConnectionLost&) {
    from.close();
    to.close();
  }
}

asio::awaitable<void> Connection::tunnel(TunnelOrder order) {
  Stream other(shared_.io, order.fd.release());
  stream_.set_progress_deadline(kTunnelIdle);
  other.set_progress_deadline(kTunnelIdle);
  bool back_ended = false;
  asio::steady_timer back(shared_.io, asio::steady_timer::time_point::max());
  asio::co_spawn(shared_.io, pump(other, stream_), [&back_ended, &back, this](std::exception_ptr) {
    back_ended = true;
    back.cancel();
    stream_.set_deadline(shared_.limits.linger);
  });
  try {
    order.head.append(input_.view());
    input_.consume(input_.view().size());
    co_await other.write(order.head);
  } catch (const ConnectionLost&) {
    other.close();
  }
  co_await pump(stream_, other);
  // The other direction refers to this frame: it must have ended, whatever became of this one.
  while (!back_ended) co_await back.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace brume::http
