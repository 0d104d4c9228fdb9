// Reads one request's body off its connection, without the framing, and not a byte further. I/O thread. Includes Asio:
// only for .cpp files of this folder.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "front/http/chunked.h"
#include "front/http/head.h"
#include "front/http/stream.h"

namespace brume::http {

// Bytes that have arrived and were not used yet.
class InputBuffer {
 public:
  // `arrivals` is where every connection's bytes are put first; none of it is in use while anything waits.
  explicit InputBuffer(std::span<char> arrivals) : arrivals_(arrivals) {}
  std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
  void consume(std::size_t size);
  // Reads more; false: the client has ended its side.
  asio::awaitable<bool> fill(Stream& stream);
  std::size_t held() const { return bytes_.capacity(); }

 private:
  std::span<char> arrivals_;
  std::string bytes_;
  std::size_t begin_ = 0;
};

// The body cannot be had; the connection still takes an answer, but no other request.
struct BodyProblem {
  AwsError error;
};

class BodyReader {
 public:
  BodyReader(Stream& stream, InputBuffer& input, const RequestHead& head);

  // 0: the body has ended. Throws BodyProblem.
  asio::awaitable<std::size_t> read(char* out, std::size_t size);
  // Whether all of it is there; then it may be looked at and taken at once instead.
  bool has_arrived() const { return !chunked_ && left_ <= input_.view().size(); }
  std::string_view arrived() const { return input_.view().substr(0, static_cast<std::size_t>(left_)); }
  void take_arrived();
  bool finished() const { return finished_; }
  bool started() const { return started_; }
  // Bytes still to come, when the framing tells it.
  std::uint64_t left() const { return chunked_ ? ~std::uint64_t{0} : left_; }
  const Headers& trailers() const { return decoder_.trailers(); }

 private:
  asio::awaitable<std::size_t> read_plain(char* out, std::size_t size);
  asio::awaitable<std::size_t> read_chunked(char* out, std::size_t size);

  Stream& stream_;
  InputBuffer& input_;
  bool chunked_;
  std::uint64_t left_;
  ChunkedDecoder decoder_;
  bool finished_;
  bool started_ = false;
};

}  // namespace brume::http
