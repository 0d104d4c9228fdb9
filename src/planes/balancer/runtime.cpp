#include "planes/balancer/runtime.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include "core/error.h"
#include "core/text.h"

namespace brume::balancer {
namespace {

constexpr std::chrono::seconds kDeadline{2};
constexpr std::size_t kLargestAnswer = 16 << 20;

class Connection {
 public:
  explicit Connection(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        deadline_(std::chrono::steady_clock::now() + kDeadline) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_ < 0 || path.size() >= sizeof address.sun_path) throw_errno("the admin socket " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    // A full backlog answers EAGAIN at once: HAProxy is not accepting, so it is not there.
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      const int reason = errno;
      ::close(socket_);
      errno = reason;
      throw_errno("connecting to " + path);
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(socket_); }

  void send_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent > 0)
        text.remove_prefix(static_cast<std::size_t>(sent));
      else
        wait(POLLOUT);
    }
  }

  std::string read_all() {
    std::string text;
    std::array<char, 65536> buffer;
    while (text.size() < kLargestAnswer) {
      const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
      if (got == 0) return text;
      if (got > 0)
        text.append(buffer.data(), static_cast<std::size_t>(got));
      else
        wait(POLLIN);
    }
    throw PlaneError(PlaneError::Kind::transient, "HAProxy's answer is too long");
  }

 private:
  void wait(short events) const {
    if (errno != EAGAIN && errno != EINTR) throw_errno("the admin socket");
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
    pollfd entry{.fd = socket_, .events = events};
    if (left.count() <= 0 || poll(&entry, 1, static_cast<int>(left.count())) == 0)
      throw PlaneError(PlaneError::Kind::transient, "HAProxy does not answer on its admin socket");
  }

  int socket_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

std::string runtime_command(const std::string& socket_path, std::string_view command) {
  Connection connection(socket_path);
  connection.send_all(std::string(command) + "\n");
  return std::string(trim(connection.read_all()));
}

std::vector<StatRow> parse_stat(std::string_view csv) {
  std::vector<StatRow> rows;
  std::map<std::string_view, std::size_t> columns;
  for (std::string_view line : split(csv, '\n')) {
    if (line.empty()) continue;
    const auto fields = split(line, ',');
    if (line.starts_with("# ")) {
      for (std::size_t i = 0; i < fields.size(); ++i) columns[i == 0 ? fields[0].substr(2) : fields[i]] = i;
      continue;
    }
    const auto field = [&](std::string_view name) {
      const auto column = columns.find(name);
      return column == columns.end() || column->second >= fields.size() ? std::string_view() : fields[column->second];
    };
    const auto number = [&](std::string_view name) {
      std::int64_t value = 0;
      return parse_int(field(name), value) ? value : 0;
    };
    StatRow row;
    row.proxy = field("pxname");
    row.server = field("svname");
    row.status = field("status");
    std::string_view check = field("check_status");
    if (check.starts_with("* ")) check.remove_prefix(2);  // another check is under way
    row.check_status = check == "INI" ? std::string_view() : check;
    row.check_code = static_cast<int>(number("check_code"));
    row.connections = static_cast<std::uint64_t>(number("conn_tot"));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string info_value(std::string_view answer, std::string_view name) {
  for (std::string_view line : split(answer, '\n')) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos && line.substr(0, colon) == name)
      return std::string(trim(line.substr(colon + 2)));
  }
  return {};
}

}  // namespace brume::balancer
