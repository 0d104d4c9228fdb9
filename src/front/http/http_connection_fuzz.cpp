// Fuzz target: a whole connection. The bytes go to a running server, in pieces; the requests that its application sees,
// with their bodies, are exactly those that a literal reading of the RFC finds, one after the other: nothing of one
// request's body is ever taken for the next request. The first byte is the number of pieces.
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "front/http/fd.h"
#include "front/http/server.h"
#include "front/http/test_framing.h"
#include "front/http/testing.h"

namespace brume::http {
namespace {

constexpr std::uint64_t kBodyLimit = 4096;

struct Seen {
  std::string method, path, query, body;
  bool whole = false;  // the body came
  bool operator==(const Seen&) const = default;
};

class Recorder final : public Application {
 public:
  void on_request(std::shared_ptr<Exchange> exchange) override {
    const RequestHead& head = exchange->head();
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({head.method, head.path, head.query, "", false});
    }
    exchange->receive_body({.limit = kBodyLimit, .memory_limit = 64}, [this, exchange](auto received) {
      if (received) {
        const std::lock_guard lock(mutex_);
        seen_.back().whole = true;
        seen_.back().body = text_of(received->body);
      }
      exchange->reply({.status = received ? 200 : received.error().status});
    });
  }
  HttpReply refusal(const HeadProblem& problem) override { return {.status = problem.status}; }

  std::vector<Seen> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(seen_, {});
  }

 private:
  static std::string text_of(const Body& body);
  std::mutex mutex_;
  std::vector<Seen> seen_;
};

std::string Recorder::text_of(const Body& body) {
  if (body.spool == nullptr) return body.bytes;
  std::ifstream file(body.spool->path());
  return {std::istreambuf_iterator<char>(file), {}};
}

// The fuzzer's own timer interrupts calls: they are made again.
template <typename Call>
ssize_t uninterrupted(Call call) {
  ssize_t result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class UnixServer {
 public:
  // The agreement is about framing: no input (4,096 bytes at most) is long enough for a limit other than the body's.
  UnixServer() : server_({.head = {.headers = 5000}}, directory_.path() + "/spool", recorder, clock_, nullptr) {
    address_.sun_family = AF_UNIX;
    const std::string path = directory_.path() + "/socket";
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
    Fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    BRUME_CHECK(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0);
    BRUME_CHECK(::listen(listening.get(), 8) == 0);
    server_.listen(listening.release(), {.label = "fuzz"});
    server_.start();
  }
  ~UnixServer() { server_.stop(); }
  Fd connect() const {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* address = reinterpret_cast<const sockaddr*>(&address_);
    BRUME_CHECK(uninterrupted([&] { return ::connect(fd.get(), address, sizeof address_); }) == 0);
    return fd;
  }
  Recorder recorder;

 private:
  TestDirectory directory_;
  SystemClock clock_;
  sockaddr_un address_{};
  Server server_;
};

// What a server that reads as the RFC says sees of these bytes, all of which have come.
std::vector<Seen> expected_of(std::string bytes) {
  std::vector<Seen> seen;
  while (bytes.substr(bytes.compare(0, 2, "\r\n") == 0 ? 2 : 0).find("\r\n\r\n") != std::string::npos) {
    const auto head = reference::head(bytes);
    if (!head) break;
    bytes.erase(0, head->head_bytes);
    Seen request{head->method, head->path, head->query, "", true};
    if (head->chunked) {
      const reference::ChunkedBody body = reference::chunked_body(bytes);
      request.whole = body.state == reference::ChunkedBody::State::done && body.data.size() <= kBodyLimit;
      if (request.whole) request.body = body.data;
      bytes.erase(0, body.size);
    } else if (const std::uint64_t length = head->length.value_or(0); length > 0) {
      request.whole = length <= bytes.size() && length <= kBodyLimit;
      if (request.whole) request.body = bytes.substr(0, length);
      if (request.whole) bytes.erase(0, length);
    }
    seen.push_back(request);
    if (!request.whole || !head->keep_alive) break;
  }
  return seen;
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = uninterrupted([&] { return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (sent <= 0) return;  // the server has closed: it refused something
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Until the server closes: it has seen everything then.
void read_to_end(int fd) {
  char answers[4096];
  while (uninterrupted([&] { return ::recv(fd, answers, sizeof answers, 0); }) > 0) {
  }
}

}  // namespace
}  // namespace brume::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::http;
  if (size < 1) return 0;
  static UnixServer server;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // The first byte of a connection tells TLS, which has no place here.
  if (bytes.starts_with('\x16')) return 0;
  const brume::http::Fd client = server.connect();
  const std::size_t piece = bytes.size() / (1 + data[0] % 4U) + 1;
  for (std::size_t at = 0; at < bytes.size(); at += piece) send_all(client.get(), bytes.substr(at, piece));
  ::shutdown(client.get(), SHUT_WR);
  read_to_end(client.get());
  const std::vector<Seen> seen = server.recorder.take(), expected = expected_of(std::string(bytes));
  BRUME_CHECK(seen == expected);
  return 0;
}
