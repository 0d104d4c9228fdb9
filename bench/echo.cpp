// The round trip of one byte over TCP: `echo serve PORT` answers on every address, `echo ask ADDRESS PORT COUNT` prints
// the median of that many round trips in nanoseconds.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

int make_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

sockaddr_in address_of(const char* address, int port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<std::uint16_t>(port));
  made.sin_addr.s_addr = inet_addr(address);
  return made;
}

int serve(int port) {
  const int listener = make_socket();
  const sockaddr_in address = address_of("0.0.0.0", port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 8) != 0)
    return 1;
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    char byte = 0;
    while (recv(fd, &byte, 1, 0) == 1) send(fd, &byte, 1, MSG_NOSIGNAL);
    close(fd);
  }
}

int ask(const char* host, int port, int count) {
  const int fd = make_socket();
  const sockaddr_in address = address_of(host, port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  std::vector<long> times;
  for (int i = 0; i < count; ++i) {
    char byte = 'x';
    const auto began = Clock::now();
    if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1) return 1;
    times.push_back(std::chrono::nanoseconds(Clock::now() - began).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%ld\n", times[times.size() / 2]);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && std::string_view(arguments[1]) == "serve") return serve(std::atoi(arguments[2]));
  if (count == 5) return ask(arguments[2], std::atoi(arguments[3]), std::atoi(arguments[4]));
  return 2;
}
