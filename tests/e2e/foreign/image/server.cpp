// What the foreign system's containers run: a server that tells what it was asked and tries what it is told to.
//
//   server serve            on PORT (8000) and the one after it: GET /fetch?host=H&port=P&path=P asks elsewhere,
//                           GET /file?path=F reads, GET /env?name=N tells a variable, anything else tells the request;
//                           ?… is percent-encoded
//   server write FILE TEXT  writes a file and ends (for containers that others depend on)
//   server check FILE       exits 0 if the file is there (the container health check)
//   server hold FILE        writes the file, then waits for SIGTERM
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr int kTimeoutMs = 2000;

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 2 >= text.size()) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return out;
}

std::string parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    if (item.size() > name.size() && item.starts_with(name) && item[name.size()] == '=')
      return decoded(item.substr(name.size() + 1));
  }
  return {};
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return in ? text.str() : "absent";
}

// "STATUS BODY", or "0 " and why not.
std::string fetch(const std::string& host, const std::string& port, const std::string& path) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return "0 no such name";
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int result = connect(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  pollfd waiting{fd, POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  const bool connected = result == 0 || (errno == EINPROGRESS && poll(&waiting, 1, kTimeoutMs) == 1 &&
                                         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
  if (!connected) {
    close(fd);
    return "0 not connected";
  }
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char buffer[4096];
  waiting.events = POLLIN;
  while (answer.size() < 65536 && poll(&waiting, 1, kTimeoutMs) == 1) {
    const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  close(fd);
  const std::size_t head = answer.find("\r\n\r\n");
  if (answer.size() < 12 || head == std::string::npos) return "0 no answer";
  return answer.substr(9, 3) + " " + answer.substr(head + 4);
}

std::string answer(std::string_view target, const std::string& head) {
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  if (path == "/fetch") return fetch(parameter(query, "host"), parameter(query, "port"), parameter(query, "path"));
  if (path == "/file") return read_file(parameter(query, "path"));
  if (path == "/env") return environment(parameter(query, "name"));
  return environment("NAME") + "\n" + head;
}

void serve_connection(int fd) {
  std::string head;
  char chunk[4096];
  pollfd waiting{fd, POLLIN, 0};
  while (head.find("\r\n\r\n") == std::string::npos && head.size() < 16384 && poll(&waiting, 1, 5000) == 1) {
    const ssize_t count = recv(fd, chunk, sizeof chunk, 0);
    if (count <= 0) break;
    head.append(chunk, static_cast<std::size_t>(count));
  }
  const std::size_t space = head.find(' '), second = head.find(' ', space + 1);
  if (second != std::string::npos) {
    const std::string body = answer(std::string_view(head).substr(space + 1, second - space - 1), head);
    const std::string text =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\nConnection: close\r\n\r\n" + body;
    send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }
  close(fd);
}

int serve_at(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 128) != 0) {
    std::perror("listen");
    return 1;
  }
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) std::thread(serve_connection, fd).detach();
  }
}

int serve() {
  const std::string given = environment("PORT");
  const int port = given.empty() ? 8000 : std::stoi(given);
  std::thread(serve_at, port + 1).detach();
  return serve_at(port);
}

int write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text << std::flush;
  return out ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { _exit(0); });
  const std::string_view mode = count > 1 ? arguments[1] : "serve";
  if (mode == "write" && count > 3) return write_file(arguments[2], arguments[3]);
  if (mode == "check" && count > 2) return access(arguments[2], R_OK) == 0 ? 0 : 1;
  if (mode == "hold" && count > 2) {
    if (write_file(arguments[2], "held") != 0) return 1;
    while (true) pause();
  }
  return serve();
}
