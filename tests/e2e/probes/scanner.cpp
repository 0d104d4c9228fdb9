// A port scanner that works in many network namespaces at once, for tests of isolation. One thread: a socket stays in
// the namespace it was made in, so this enters a namespace only to make sockets. Commands come by lines on stdin:
//
//   space NAME PATH                           a network namespace
//   listen NAME tcp|udp ADDRESS PORT TEXT     answers whoever comes with TEXT (a connection then echoes)
//   probe ID NAME SOURCE KIND ADDRESS PORT    notes a probe; KIND: tcp, udp, icmp (PORT 0), connect (tcp without TEXT)
//   run ATTEMPTS                              makes all noted probes; answers "ID OUTCOME TEXT" a line, then "done"
//   hold ID NAME SOURCE ADDRESS PORT          opens a connection and keeps it; answers as a probe
//   echo ID MILLISECONDS                      whether a byte sent on it comes back: "alive" or "dead"
//
// OUTCOME: open; half (a datagram arrived, its answer did not); closed (nothing came back); refused; unreachable.
// A probe without an answer is repeated from a new port: one lost packet closes nothing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// Sources are taken from here in turn, so that the tests know which "ephemeral ports" a network ACL must let pass.
constexpr int kFirstSource = 40000, kLastSource = 47999;
// How long the first attempt waits; each further one twice as long.
constexpr std::chrono::milliseconds kFirstWait(60);

int home = -1;
int poller = -1;

[[noreturn]] void fail(const std::string& what) {
  std::cout << "failed " << what << ": " << std::strerror(errno) << std::endl;
  std::exit(1);
}

sockaddr_in socket_address(const std::string& address, int port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &made.sin_addr) != 1) fail("not an address: " + address);
  return made;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

struct Space {
  int fd = -1;
  int next_source = kFirstSource;
};
std::map<std::string, Space> spaces;

int make_socket(const std::string& space, int type, int protocol) {
  const auto found = spaces.find(space);
  if (found == spaces.end()) fail("no space " + space);
  if (setns(found->second.fd, CLONE_NEWNET) != 0) fail("setns " + space);
  const int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) fail("socket");
  if (setns(home, CLONE_NEWNET) != 0) fail("setns home");
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

void bind_source(int fd, Space& space, const std::string& source) {
  for (int tries = 0; tries < 200; ++tries) {
    const sockaddr_in local = socket_address(source, space.next_source);
    space.next_source = space.next_source == kLastSource ? kFirstSource : space.next_source + 1;
    if (bind(fd, generic(local), sizeof local) == 0) return;
  }
  fail("bind " + source);
}

struct Handler {
  virtual ~Handler() = default;
  virtual void ready(int fd, std::uint32_t events) = 0;
};
std::unordered_map<int, Handler*> handlers;

void watch(int fd, std::uint32_t events, Handler* handler) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  handlers[fd] = handler;
}

void end(int fd) {
  handlers.erase(fd);
  // With a reset: nothing of a probe stays in connection tracking.
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

struct Probe {
  std::string id, space, source, kind, address;
  int port = 0;
  std::string outcome = "closed", text;
  bool arrived = false;
  bool done = false;
};
std::vector<Probe> probes;
std::size_t waiting = 0;

void settle(Probe& probe, const std::string& outcome, const std::string& text = "") {
  if (probe.done) return;
  probe.done = true;
  probe.outcome = outcome;
  probe.text = text;
  --waiting;
}

struct TcpListener final : Handler {
  explicit TcpListener(std::string answer) : text(std::move(answer)) {}
  void ready(int fd, std::uint32_t) override {
    if (!listening.contains(fd)) return serve(fd);
    for (int connection; (connection = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      if (send(connection, text.data(), text.size(), MSG_NOSIGNAL) < 0)
        close(connection);
      else
        watch(connection, EPOLLIN | EPOLLRDHUP, this);
    }
  }
  static void serve(int fd) {
    char buffer[256];
    const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count > 0)
      send(fd, buffer, static_cast<std::size_t>(count), MSG_NOSIGNAL);
    else if (count == 0 || errno != EAGAIN)
      end(fd);
  }
  const std::string text;
  std::map<int, bool> listening;
};

// A datagram holds the number of its probe: so it is known to have arrived even if the answer is lost.
struct UdpListener final : Handler {
  explicit UdpListener(std::string answer) : text(std::move(answer)) {}
  void ready(int fd, std::uint32_t) override {
    std::uint32_t number = 0;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    while (recvfrom(fd, &number, sizeof number, 0, reinterpret_cast<sockaddr*>(&from), &size) == sizeof number) {
      if (number < probes.size()) probes[number].arrived = true;
      sendto(fd, text.data(), text.size(), 0, generic(from), size);
      size = sizeof from;
    }
  }
  const std::string text;
};

struct Attempt final : Handler {
  explicit Attempt(Probe& of) : probe(of) {}
  void ready(int fd, std::uint32_t events) override {
    if (probe.done) return;
    char buffer[256];
    if (probe.kind == "connect" && (events & EPOLLOUT) != 0 && (events & (EPOLLERR | EPOLLHUP)) == 0)
      return settle(probe, "open");
    const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count > 0) return settle(probe, "open", probe.kind == "icmp" ? "" : std::string(buffer, std::size_t(count)));
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0 && errno == ECONNREFUSED) return settle(probe, "refused");
    if (count < 0 && (errno == EHOSTUNREACH || errno == ENETUNREACH)) return settle(probe, "unreachable");
    settle(probe, "refused");
  }
  Probe& probe;
};

int begin(Probe& probe, std::uint32_t number) {
  const bool tcp = probe.kind == "tcp" || probe.kind == "connect", icmp = probe.kind == "icmp";
  const int fd = make_socket(probe.space, tcp ? SOCK_STREAM : SOCK_DGRAM, icmp ? IPPROTO_ICMP : 0);
  bind_source(fd, spaces[probe.space], probe.source);
  const sockaddr_in to = socket_address(probe.address, probe.port);
  const int connected = connect(fd, generic(to), sizeof to);
  if (connected != 0 && errno != EINPROGRESS) {
    settle(probe, errno == ECONNREFUSED ? "refused" : "unreachable");
    close(fd);
    return -1;
  }
  if (icmp) {
    icmphdr request{};
    request.type = ICMP_ECHO;
    send(fd, &request, sizeof request, 0);
  } else if (!tcp) {
    send(fd, &number, sizeof number, 0);
  }
  return fd;
}

// Lets the sockets work until the deadline, or until every probe is settled.
void work_until(Clock::time_point deadline, const std::size_t* left) {
  epoll_event events[256];
  while (!left || *left > 0) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (wait <= 0) return;
    const int count = epoll_wait(poller, events, 256, static_cast<int>(wait));
    for (int i = 0; i < count; ++i)
      if (const auto found = handlers.find(events[i].data.fd); found != handlers.end())
        found->second->ready(events[i].data.fd, events[i].events);
  }
}

void run(int attempts) {
  std::vector<int> sockets;
  std::vector<std::unique_ptr<Attempt>> made;
  waiting = probes.size();
  auto wait = kFirstWait;
  for (int attempt = 0; attempt < attempts && waiting > 0; ++attempt, wait *= 2) {
    std::size_t begun = 0;
    for (std::size_t i = 0; i < probes.size(); ++i) {
      if (probes[i].done) continue;
      const int fd = begin(probes[i], static_cast<std::uint32_t>(i));
      if (fd < 0) continue;
      made.push_back(std::make_unique<Attempt>(probes[i]));
      watch(fd, EPOLLIN | (probes[i].kind == "connect" ? static_cast<std::uint32_t>(EPOLLOUT) : 0U), made.back().get());
      sockets.push_back(fd);
      // What has come must not pile up behind what is sent.
      if (++begun % 64 == 0) work_until(Clock::now() + std::chrono::milliseconds(1), &waiting);
    }
    work_until(Clock::now() + wait, &waiting);
  }
  for (const int fd : sockets) end(fd);
  std::string out;
  for (const Probe& probe : probes) {
    const bool half = !probe.done && probe.arrived;
    out += probe.id + " " + (half ? "half" : probe.outcome) + " " + probe.text + "\n";
  }
  probes.clear();
  std::cout << out << "done" << std::endl;
}

void listen_at(const std::string& space, const std::string& kind, const std::string& address, int port,
               const std::string& text) {
  const bool tcp = kind == "tcp";
  const int fd = make_socket(space, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
  const sockaddr_in local = socket_address(address, port);
  if (bind(fd, generic(local), sizeof local) != 0) fail("bind " + address + ":" + std::to_string(port));
  if (tcp && listen(fd, 1024) != 0) fail("listen");
  if (tcp) {
    auto* listener = new TcpListener(text);  // as long as the program
    listener->listening[fd] = true;
    watch(fd, EPOLLIN, listener);
  } else {
    watch(fd, EPOLLIN, new UdpListener(text));
  }
  std::cout << "listening" << std::endl;
}

// Held connections.

struct Held final : Handler {
  void ready(int fd, std::uint32_t) override {
    char buffer[256];
    ssize_t count = 0;
    while ((count = recv(fd, buffer, sizeof buffer, 0)) > 0) received.append(buffer, static_cast<std::size_t>(count));
    if (!received.empty()) left = 0;
  }
  int socket = -1;
  std::string received;
  std::size_t left = 1;
};
std::map<std::string, Held> held;

void hold(const std::string& id, const std::string& space, const std::string& source, const std::string& address,
          int port) {
  Held& connection = held[id];
  connection.socket = make_socket(space, SOCK_STREAM, 0);
  bind_source(connection.socket, spaces[space], source);
  const sockaddr_in to = socket_address(address, port);
  connect(connection.socket, generic(to), sizeof to);
  watch(connection.socket, EPOLLIN, &connection);
  work_until(Clock::now() + std::chrono::seconds(5), &connection.left);
  std::cout << id << " " << (connection.received.empty() ? "closed" : "open") << " " << connection.received
            << std::endl;
}

void echo(const std::string& id, int milliseconds) {
  Held& connection = held.at(id);
  connection.received.clear();
  connection.left = 1;
  send(connection.socket, "e", 1, MSG_NOSIGNAL);
  work_until(Clock::now() + std::chrono::milliseconds(milliseconds), &connection.left);
  std::cout << (connection.received.empty() ? "dead" : "alive") << std::endl;
}

void obey(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb == "space") {
    std::string name, path;
    words >> name >> path;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("open " + path);
    spaces[name].fd = fd;
  } else if (verb == "listen") {
    std::string space, kind, address, text;
    int port = 0;
    words >> space >> kind >> address >> port >> text;
    listen_at(space, kind, address, port, text);
  } else if (verb == "probe") {
    Probe probe;
    words >> probe.id >> probe.space >> probe.source >> probe.kind >> probe.address >> probe.port;
    probes.push_back(probe);
  } else if (verb == "run") {
    int attempts = 0;
    words >> attempts;
    run(attempts);
  } else if (verb == "hold") {
    std::string id, space, source, address;
    int port = 0;
    words >> id >> space >> source >> address >> port;
    hold(id, space, source, address, port);
  } else if (verb == "echo") {
    std::string id;
    int milliseconds = 0;
    words >> id >> milliseconds;
    echo(id, milliseconds);
  } else {
    fail("unknown command " + verb);
  }
}

}  // namespace

int main() {
  home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  poller = epoll_create1(EPOLL_CLOEXEC);
  const rlimit files{65536, 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) obey(line);
  return 0;
}
