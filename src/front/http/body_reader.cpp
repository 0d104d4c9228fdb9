#include "front/http/body_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace brume::http {
namespace {

constexpr std::size_t kFill = 16 * 1024;
constexpr std::size_t kKept = 2 * 1024;  // by a connection that waits; the usual head has room

BodyProblem ended_early() {
  return {{"IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header"}};
}

}  // namespace

void InputBuffer::consume(std::size_t size) {
  begin_ += size;
  if (begin_ < bytes_.size()) return;
  if (bytes_.capacity() > kKept) std::string().swap(bytes_);
  bytes_.clear();
  begin_ = 0;
}

asio::awaitable<bool> InputBuffer::fill(Stream& stream) {
  if (begin_ > 0) {
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  // Between the read and the copy nothing else runs: a coroutine's end goes on in its caller at once.
  const std::size_t got = co_await stream.read(arrivals_.data(), kFill);
  bytes_.append(arrivals_.data(), got);
  co_return got > 0;
}

BodyReader::BodyReader(Stream& stream, InputBuffer& input, const RequestHead& head)
    : stream_(stream),
      input_(input),
      chunked_(head.chunked),
      left_(head.content_length.value_or(0)),
      finished_(!head.has_body()) {}

asio::awaitable<std::size_t> BodyReader::read(char* out, std::size_t size) {
  started_ = true;
  if (finished_) co_return 0;
  bool timed_out = false;
  try {
    co_return chunked_ ? co_await read_chunked(out, size) : co_await read_plain(out, size);
  } catch (const ConnectionLost& lost) {
    if (!lost.timed_out) throw;
    timed_out = true;
  }
  if (timed_out)
    throw BodyProblem{{"RequestTimeout",
                       "Your socket connection to the server was not read from or written to within the timeout "
                       "period. Idle connections will be closed."}};
  co_return 0;
}

void BodyReader::take_arrived() {
  started_ = true;
  if (left_ > 0) input_.consume(static_cast<std::size_t>(left_));
  left_ = 0;
  finished_ = true;
}

asio::awaitable<std::size_t> BodyReader::read_plain(char* out, std::size_t size) {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
  std::size_t got = std::min(wanted, input_.view().size());
  if (got > 0) {
    std::memcpy(out, input_.view().data(), got);
    input_.consume(got);
  } else {
    got = co_await stream_.read(out, wanted);
    if (got == 0) throw ended_early();
  }
  left_ -= got;
  finished_ = left_ == 0;
  co_return got;
}

asio::awaitable<std::size_t> BodyReader::read_chunked(char* out, std::size_t size) {
  for (;;) {
    if (input_.view().empty() && !co_await input_.fill(stream_)) throw ended_early();
    const std::string_view view = input_.view();
    const ChunkedDecoder::Step step = decoder_.feed(view.substr(0, std::min(view.size(), size)));
    if (step.state == ChunkedDecoder::State::refused)
      throw BodyProblem{{"InvalidRequest", "The request's body is malformed: " + decoder_.problem()}};
    const std::size_t got = step.data.size();
    if (got > 0) std::memcpy(out, step.data.data(), got);
    input_.consume(step.consumed);
    finished_ = step.state == ChunkedDecoder::State::done;
    if (got > 0 || finished_) co_return got;
  }
}

}  // namespace brume::http
