// Sends requests that were written and signed beforehand, one after the other on each of a few kept connections, and
// says how it went as one line of JSON: replay ADDRESS PORT CONNECTIONS COUNT FILE. FILE has, for each request, its
// size as a line of decimal digits and its bytes; it is begun anew when COUNT is larger. Asking costs a fifth of
// answering, so that the asked has the machine nearly to itself.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::vector<std::string_view> split_requests(std::string_view text) {
  std::vector<std::string_view> requests;
  while (!text.empty()) {
    const std::size_t line = text.find('\n');
    const auto size = static_cast<std::size_t>(std::atoll(std::string(text.substr(0, line)).c_str()));
    requests.push_back(text.substr(line + 1, size));
    text.remove_prefix(line + 1 + size);
  }
  return requests;
}

struct Connection {
  int fd = -1;
  std::string answer;
  bool bodiless = false;  // what is sent is HEAD
  Clock::time_point began;
};

class Replay {
 public:
  Replay(const std::vector<std::string_view>& requests, const char* host, std::uint16_t port, std::size_t connections,
         std::size_t count)
      : requests_(requests), count_(count), epoll_(epoll_create1(0)), connections_(connections) {
    for (Connection& connection : connections_) open(connection, host, port);
    times_.reserve(count);
  }

  void run() {
    const auto began = Clock::now();
    for (Connection& connection : connections_) next(connection);
    std::vector<epoll_event> events(connections_.size());
    while (times_.size() < count_) {
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 30'000);
      if (ready <= 0) die("nothing came for 30 seconds");
      for (int i = 0; i < ready; ++i) read(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    elapsed_ = Clock::now() - began;
  }

  void report() {
    std::sort(times_.begin(), times_.end());
    const auto at = [this](double share) {
      return times_[static_cast<std::size_t>(share * static_cast<double>(times_.size() - 1))];
    };
    std::printf(
        "{\"requests\": %zu, \"failed\": %zu, \"elapsed_us\": %lld, \"p50_us\": %lld, \"p99_us\": %lld, "
        "\"answer_bytes\": %zu}\n",
        times_.size(), failed_, static_cast<long long>(elapsed_.count() / 1000), static_cast<long long>(at(0.5)),
        static_cast<long long>(at(0.99)), answer_bytes_);
    if (failed_ > 0) std::fprintf(stderr, "the first that failed: %.600s\n", first_failure_.c_str());
  }

 private:
  void open(Connection& connection, const char* host, std::uint16_t port) const {
    connection.fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = inet_addr(host);
    if (connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
    const int on = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  void next(Connection& connection) {
    if (sent_ == count_) return;
    const std::string_view request = requests_[sent_++ % requests_.size()];
    connection.answer.clear();
    connection.bodiless = request.starts_with("HEAD ");
    connection.began = Clock::now();
    for (std::string_view left = request; !left.empty();) {
      const ssize_t wrote = send(connection.fd, left.data(), left.size(), MSG_NOSIGNAL);
      if (wrote <= 0) die("send");
      left.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }

  void read(Connection& connection) {
    char buffer[65536];
    const ssize_t got = recv(connection.fd, buffer, sizeof buffer, 0);
    if (got <= 0) die("the connection was closed");
    connection.answer.append(buffer, static_cast<std::size_t>(got));
    const std::size_t head = connection.answer.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const std::size_t length = connection.answer.find("Content-Length: ");
    const bool has_body = length < head && !connection.bodiless;
    const std::size_t body = has_body ? std::strtoull(connection.answer.c_str() + length + 16, nullptr, 10) : 0;
    if (connection.answer.size() < head + 4 + body) return;
    times_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - connection.began).count());
    answer_bytes_ = connection.answer.size();
    if (!connection.answer.starts_with("HTTP/1.1 2") && failed_++ == 0) first_failure_ = connection.answer;
    next(connection);
  }

  const std::vector<std::string_view>& requests_;
  std::size_t count_;
  int epoll_;
  std::vector<Connection> connections_;
  std::size_t sent_ = 0, failed_ = 0, answer_bytes_ = 0;
  std::string first_failure_;
  std::vector<long> times_;
  Clock::duration elapsed_{};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) return 2;
  std::ifstream file(arguments[5], std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::vector<std::string_view> requests = split_requests(text);
  if (requests.empty()) return 2;
  const auto number = [&](int i) { return static_cast<std::size_t>(std::atoll(arguments[i])); };
  Replay replay(requests, arguments[1], static_cast<std::uint16_t>(number(2)), number(3), number(4));
  replay.run();
  replay.report();
}
