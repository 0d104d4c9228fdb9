// The long-running parts of a connection: receiving large bodies beside the spool pool, and tunnels.
#include <algorithm>
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

// Received and handed to the pool at once: small first, so that clients who announce much and send little cost little.
constexpr std::size_t kFirstPiece = 4 * 1024;
constexpr std::size_t kLargestPiece = 256 * 1024;
constexpr std::uint64_t kInlineBody = 64 * 1024;  // smaller bodies are not worth a change of threads
constexpr std::chrono::minutes kTunnelIdle{10};

// A body on its way: while the pool digests and writes one piece, the next one is read. Shared between the coroutine
// and the pool's job, whichever ends last.
struct Upload {
  Upload(BodyPlan plan, std::string spool_path, asio::io_context& io)
      : sink(std::move(plan), std::move(spool_path)), finished(io, asio::steady_timer::time_point::max()) {}
  // What it has in memory.
  std::size_t held() const { return pieces[0].capacity() + pieces[1].capacity() + sink.held(); }

  BodySink sink;
  std::array<std::vector<char>, 2> pieces;
  std::size_t piece_size = kFirstPiece;
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

asio::awaitable<std::size_t> read_piece(BodyReader& body, std::vector<char>& piece, std::size_t size) {
  piece.resize(size);
  std::size_t filled = 0;
  while (filled < piece.size() && !body.finished())
    filled += co_await body.read(piece.data() + filled, piece.size() - filled);
  co_return filled;
}

}  // namespace

std::string Connection::spool_path() { return shared_.spool_directory + "/body-" + std::to_string(++shared_.spooled); }

// Nearly every body comes with its head: nothing need be waited for, nor copied on the way.
ReceivedBody Connection::take_whole(BodyPlan plan, BodyReader& body) {
  BodySink sink(std::move(plan), spool_path());
  if (const std::string_view arrived = body.arrived(); !arrived.empty())
    if (auto failed = sink.consume(arrived)) throw BodyProblem{*std::move(failed)};
  body.take_arrived();
  hold_upload(sink.held());
  auto received = sink.finish();
  if (!received) throw BodyProblem{received.error()};
  return *std::move(received);
}

asio::awaitable<ReceivedBody> Connection::receive_whole(BodyPlan plan, BodyReader& body) {
  const std::string path = spool_path();
  const auto upload = std::make_shared<Upload>(std::move(plan), path, shared_.io);
  if (body.left() <= kInlineBody) {
    while (!body.finished()) {
      const std::size_t got = co_await body.read(shared_.arrivals.data(), shared_.arrivals.size());
      if (auto failed = upload->sink.consume({shared_.arrivals.data(), got})) throw BodyProblem{*std::move(failed)};
      hold_upload(upload->sink.held());
    }
  } else {
    for (std::size_t turn = 0; !body.finished(); turn ^= 1) {
      std::vector<char>& piece = upload->pieces[turn];
      const std::size_t size = co_await read_piece(body, piece, upload->piece_size);
      // A slow disk is not the client's fault.
      stream_.clear_deadline();
      co_await finish_piece(upload);
      stream_.set_progress_deadline(shared_.limits.body_progress);
      hold_upload(upload->held());
      upload->piece_size = std::min(upload->piece_size * 4, kLargestPiece);
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
  try {
    for (;;) {
      const std::size_t got = co_await from.read(shared_.arrivals.data(), shared_.arrivals.size());
      if (got == 0) break;
      const std::string_view arrived(shared_.arrivals.data(), got);
      const std::size_t written = to.write_some(arrived);
      // Only what a slow reader has not taken yet is kept, while it is waited for.
      if (written < got) {
        const std::string rest(arrived.substr(written));
        co_await to.write(rest);
      }
      co_await from.give_way();
    }
    to.shut_down_writing();
  } catch (const ConnectionLost&) {
    from.close();
    to.close();
  }
}

asio::awaitable<void> Connection::tunnel(TunnelOrder order) {
  move_to(Phase::answering);
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
