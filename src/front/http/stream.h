// A connected socket, plain or TLS, as coroutines read and write it. Every wait ends by the stream's deadline. I/O
// thread. Includes Asio: only for .cpp files of this folder.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "front/http/tls.h"

namespace brume::http {

namespace asio = boost::asio;

// The connection cannot be used any more. Ends the connection's coroutine; nobody else sees it.
struct ConnectionLost {
  bool timed_out = false;
};

class Stream {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  Stream(asio::io_context& io, int fd);  // takes the socket over
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Every later wait fails when this span has passed: counted from now, or anew from each time that bytes moved. The
  // server's sweep calls expire() then.
  void set_deadline(std::chrono::milliseconds span);
  void set_progress_deadline(std::chrono::milliseconds span);
  void clear_deadline();
  Moment deadline() const { return deadline_; }
  void expire();  // ends whatever waits with ConnectionLost{timed_out}
  void close();   // the same, without the blame

  // What the other end is at, while nothing reads or writes. Bytes that wait to be read hide what follows them.
  enum class Other { there, ended, gone };
  Other look();

  // The first byte without taking it; -1: the client has closed.
  asio::awaitable<int> peek();
  asio::awaitable<void> start_tls(TlsContexts& contexts, std::string local_address);
  // At least one byte; 0: the client has ended its side.
  asio::awaitable<std::size_t> read(char* data, std::size_t size);
  asio::awaitable<void> write(std::string_view first, std::string_view second = {});
  asio::awaitable<void> write_file(int file, std::uint64_t offset, std::uint64_t size);
  // What can be written without waiting; the rest is to be written by write().
  std::size_t write_some(std::string_view bytes);
  // Tells the client that nothing more comes. Reading goes on.
  void shut_down_writing();
  // Reads and drops what still comes, until the client closes: closing with unread bytes would reset the connection
  // and could destroy the answer on its way.
  asio::awaitable<void> drain();
  // Lets other connections run: a fast peer must not keep the thread to itself.
  asio::awaitable<void> give_way();

  int fd() { return socket_.native_handle(); }

 private:
  enum class Wait { read, write };
  asio::awaitable<void> wait(Wait what);
  asio::awaitable<void> wait_for_ssl(int result);  // after a failed SSL call; throws unless it can be repeated
  asio::awaitable<void> write_ssl(std::string_view bytes);

  void moved();  // bytes did

  asio::posix::stream_descriptor socket_;
  Ssl ssl_;
  Moment deadline_ = Moment::max();
  std::chrono::milliseconds progress_{0};  // zero: the deadline is fixed
  bool expired_ = false;
  bool closed_ = false;
};

}  // namespace brume::http
