#include "front/http/stream.h"

#include <openssl/err.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <string>
#include <vector>

namespace brume::http {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kFilePiece = 64 * 1024;  // read and sent at once over TLS

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

ssize_t drop_arrived(int fd) {
  std::array<char, 16 * 1024> rest;
  return ::recv(fd, rest.data(), rest.size(), 0);
}

}  // namespace

Stream::Stream(asio::io_context& io, int fd) : socket_(io, fd) { socket_.native_non_blocking(true); }

void Stream::set_deadline(std::chrono::milliseconds span) {
  progress_ = std::chrono::milliseconds(0);
  deadline_ = std::chrono::steady_clock::now() + span;
}
void Stream::set_progress_deadline(std::chrono::milliseconds span) {
  progress_ = span;
  deadline_ = std::chrono::steady_clock::now() + span;
}
void Stream::clear_deadline() {
  progress_ = std::chrono::milliseconds(0);
  deadline_ = Moment::max();
}
void Stream::moved() {
  if (progress_.count() != 0) deadline_ = std::chrono::steady_clock::now() + progress_;
}

void Stream::expire() {
  expired_ = true;
  socket_.cancel();
}

void Stream::close() {
  closed_ = true;
  socket_.cancel();
}

asio::awaitable<void> Stream::wait(Wait what) {
  if (expired_ || closed_) throw ConnectionLost{expired_};
  const auto type =
      what == Wait::read ? asio::posix::stream_descriptor::wait_read : asio::posix::stream_descriptor::wait_write;
  const auto [error] = co_await socket_.async_wait(type, kAwait);
  if (error || expired_ || closed_) throw ConnectionLost{expired_};
}

asio::awaitable<void> Stream::give_way() {
  co_await asio::post(asio::use_awaitable);
  if (expired_ || closed_) throw ConnectionLost{expired_};
}

asio::awaitable<void> Stream::wait_for_ssl(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) {
    co_await wait(Wait::read);
  } else if (error == SSL_ERROR_WANT_WRITE) {
    co_await wait(Wait::write);
  } else {
    throw ConnectionLost{};
  }
}

Stream::Other Stream::look() {
  char byte = 0;
  if (ssl_ != nullptr) {
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
    const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN) return Other::ended;
    return error == SSL_ERROR_SYSCALL || error == SSL_ERROR_SSL ? Other::gone : Other::there;
  }
  const ssize_t got = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got == 0) return Other::ended;
  return got > 0 || would_block(errno) || errno == EINTR ? Other::there : Other::gone;
}

asio::awaitable<int> Stream::peek() {
  for (;;) {
    char byte = 0;
    const ssize_t got = ::recv(fd(), &byte, 1, MSG_PEEK);
    if (got == 1) co_return static_cast<unsigned char>(byte);
    if (got == 0) co_return -1;
    if (!would_block(errno) && errno != EINTR) throw ConnectionLost{};
    co_await wait(Wait::read);
  }
}

asio::awaitable<void> Stream::start_tls(TlsContexts& contexts, std::string local_address) {
  ssl_ = contexts.start(fd(), local_address);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(ssl_.get());
    if (result == 1) co_return;
    co_await wait_for_ssl(result);
  }
}

asio::awaitable<std::size_t> Stream::read(char* data, std::size_t size) {
  for (;;) {
    if (ssl_ != nullptr) {
      std::size_t got = 0;
      ERR_clear_error();
      const int result = SSL_read_ex(ssl_.get(), data, size, &got);
      if (result == 1) {
        moved();
        co_return got;
      }
      const int error = SSL_get_error(ssl_.get(), result);
      if (error == SSL_ERROR_ZERO_RETURN) co_return 0;
      co_await wait_for_ssl(result);
      continue;
    }
    const ssize_t got = ::recv(fd(), data, size, 0);
    if (got >= 0) {
      moved();
      co_return static_cast<std::size_t>(got);
    }
    if (!would_block(errno) && errno != EINTR) throw ConnectionLost{};
    co_await wait(Wait::read);
  }
}

asio::awaitable<void> Stream::write_ssl(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    if (result == 1) {
      moved();
      bytes.remove_prefix(written);
    } else {
      co_await wait_for_ssl(result);
    }
  }
}

std::size_t Stream::write_some(std::string_view bytes) {
  if (expired_ || closed_) return 0;  // write() says so
  std::size_t written = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) written = 0;
    ERR_clear_error();
  } else {
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    written = sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  if (written > 0) moved();
  return written;
}

asio::awaitable<void> Stream::write(std::string_view first, std::string_view second) {
  if (ssl_ != nullptr) {
    // One record for a small answer.
    if (!second.empty() && first.size() + second.size() <= 16 * 1024) {
      const std::string together = std::string(first).append(second);
      co_await write_ssl(together);
      co_return;
    }
    co_await write_ssl(first);
    co_await write_ssl(second);
    co_return;
  }
  while (!first.empty() || !second.empty()) {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(first.data()), first.size()},
                                iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      moved();
      const std::size_t of_first = std::min(first.size(), static_cast<std::size_t>(sent));
      first.remove_prefix(of_first);
      second.remove_prefix(static_cast<std::size_t>(sent) - of_first);
      continue;
    }
    if (!would_block(errno) && errno != EINTR) throw ConnectionLost{};
    co_await wait(Wait::write);
  }
}

asio::awaitable<void> Stream::write_file(int file, std::uint64_t offset, std::uint64_t size) {
  if (ssl_ == nullptr) {
    auto position = static_cast<off_t>(offset);
    while (size > 0) {
      const std::size_t piece = static_cast<std::size_t>(std::min<std::uint64_t>(size, 1 << 20));
      const ssize_t sent = ::sendfile(fd(), file, &position, piece);
      if (sent == 0) throw ConnectionLost{};  // the file is shorter than it was said to be
      if (sent > 0) {
        moved();
        size -= static_cast<std::uint64_t>(sent);
        co_await give_way();
      } else if (would_block(errno)) {
        co_await wait(Wait::write);
      } else if (errno != EINTR) {
        throw ConnectionLost{};
      }
    }
    co_return;
  }
  std::vector<char> piece(static_cast<std::size_t>(std::min<std::uint64_t>(size, kFilePiece)));
  while (size > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, piece.size()));
    const ssize_t got = ::pread(file, piece.data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw ConnectionLost{};
    co_await write_ssl({piece.data(), static_cast<std::size_t>(got)});
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::uint64_t>(got);
    co_await give_way();
  }
}

void Stream::shut_down_writing() {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(fd(), SHUT_WR);
}

asio::awaitable<void> Stream::drain() {
  for (;;) {
    const ssize_t got = drop_arrived(fd());
    if (got == 0) co_return;
    if (got < 0 && would_block(errno))
      co_await wait(Wait::read);
    else if (got < 0 && errno != EINTR)
      co_return;
    else
      co_await give_way();
  }
}

}  // namespace brume::http
