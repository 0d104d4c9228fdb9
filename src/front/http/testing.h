// For the tests of the front door: a blocking client that sees raw bytes, and a server around a function.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "front/http/fd.h"
#include "front/http/server.h"
#include "front/http/sockets.h"

namespace brume::http {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd_.reset(-1);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  bool connected() const { return static_cast<bool>(fd_); }
  // False: the other side has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }

  // What comes until `end` has come (that included), or the connection has ended.
  std::string read_until(std::string_view end) {
    while (held_.find(end) == std::string::npos && read_more()) {
    }
    const std::size_t at = held_.find(end);
    return take(at == std::string::npos ? held_.size() : at + end.size());
  }
  std::string read_exactly(std::size_t size) {
    while (held_.size() < size && read_more()) {
    }
    return take(std::min(size, held_.size()));
  }
  std::string read_to_end() {
    while (read_more()) {
    }
    return take(held_.size());
  }
  // One answer: head, and the body that its Content-Length announces.
  struct Answer {
    std::string head, body;
    int status() const { return head.size() < 12 ? 0 : std::atoi(head.c_str() + 9); }
  };
  Answer read_answer(bool has_body = true) {
    Answer answer{.head = read_until("\r\n\r\n")};
    const std::size_t at = answer.head.find("Content-Length: ");
    if (has_body && at != std::string::npos)
      answer.body = read_exactly(static_cast<std::size_t>(std::atoll(answer.head.c_str() + at + 16)));
    return answer;
  }
  bool timed_out() const { return timed_out_; }
  int fd() const { return fd_.get(); }

 private:
  bool read_more() {
    char bytes[65536];
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (got <= 0) return false;
    held_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t size) {
    std::string taken = held_.substr(0, size);
    held_.erase(0, size);
    return taken;
  }

  Fd fd_;
  std::string held_;
  bool timed_out_ = false;
};

class FunctionApplication final : public Application {
 public:
  using Function = std::function<void(std::shared_ptr<Exchange>)>;
  explicit FunctionApplication(Function function) : function_(std::move(function)) {}
  void on_request(std::shared_ptr<Exchange> exchange) override { function_(std::move(exchange)); }
  HttpReply refusal(const HeadProblem& problem) override {
    return {.status = problem.status, .body = Body::of(problem.message)};
  }

 private:
  Function function_;
};

// A directory of the test's own, removed at its end.
class TestDirectory {
 public:
  TestDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "brume-front-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestServer {
 public:
  explicit TestServer(FunctionApplication::Function function, Limits limits = {},
                      CertificateSource* certificates = nullptr)
      : application_(std::move(function)),
        server_(limits, directory_.path() + "/spool", application_, clock_, certificates) {
    LoopbackSockets sockets = listen_loopback(0);
    port_ = sockets.port;
    server_.listen(sockets.v4.release(), {.label = "test", .tls = certificates != nullptr});
    server_.start();
  }
  ~TestServer() { server_.stop(); }
  std::uint16_t port() const { return port_; }
  Server& server() { return server_; }
  std::string spool_directory() const { return directory_.path() + "/spool"; }
  const std::string& directory() const { return directory_.path(); }

 private:
  TestDirectory directory_;
  SystemClock clock_;
  FunctionApplication application_;
  Server server_;
  std::uint16_t port_ = 0;
};

}  // namespace brume::http
