// A small HTTP server for systems/hello: says live which task, zone and address answered. One static file, no
// libraries.
//
//   server                  serves on PORT (8000) until SIGTERM, then lets the requests in flight end
//   server --check          exits 0 if this container's own /health answers 200 (the container health check)
//   server --probe A:PORT   exits 0 if a TCP connection to A:PORT can be opened within two seconds
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>

namespace {

constexpr int kTimeoutMs = 2000;
std::atomic<bool> stopping{false};
std::atomic<int> open_connections{0};
std::atomic<std::uint64_t> served{0};

std::string environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : fallback;
}

// A connected TCP socket, or -1.
int dial(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int result = connect(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  if (result != 0 && errno == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    int error = 0;
    socklen_t size = sizeof error;
    if (poll(&waiting, 1, kTimeoutMs) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
      return fd;
  } else if (result == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

// The body of `GET path` at host:port, and its status; status 0 when nothing answered.
struct Fetched {
  int status = 0;
  std::string body;
};
Fetched fetch(const std::string& host, const std::string& port, const std::string& path) {
  int fd = dial(host, port);
  if (fd < 0) return {};
  std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char buffer[4096];
  pollfd waiting{fd, POLLIN, 0};
  while (answer.size() < 65536 && poll(&waiting, 1, kTimeoutMs) == 1) {
    ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  close(fd);
  Fetched fetched;
  if (answer.size() > 12) fetched.status = std::atoi(answer.c_str() + 9);
  std::size_t head = answer.find("\r\n\r\n");
  if (head != std::string::npos) fetched.body = answer.substr(head + 4);
  return fetched;
}

// The string member `name` of a JSON text that is known to be flat enough for this.
std::string member(const std::string& json, const std::string& name) {
  std::size_t at = json.find('"' + name + '"');
  if (at == std::string::npos) return {};
  std::size_t from = json.find('"', json.find(':', at) + 1);
  std::size_t until = json.find('"', from + 1);
  return until == std::string::npos ? std::string{} : json.substr(from + 1, until - from - 1);
}

struct Identity {
  std::string task, zone, address, revision;
};

// Who we are, asked from the task metadata endpoint once.
Identity identify() {
  Identity identity{"unknown", "unknown", "unknown", "unknown"};
  std::string uri = environment("ECS_CONTAINER_METADATA_URI_V4", "");
  constexpr std::string_view kScheme = "http://";
  if (!uri.starts_with(kScheme)) return identity;
  uri.erase(0, kScheme.size());
  std::size_t slash = uri.find('/');
  std::string task = fetch(uri.substr(0, slash), "80", uri.substr(slash) + "/task").body;
  std::string arn = member(task, "TaskARN");
  if (!arn.empty()) identity.task = arn.substr(arn.rfind('/') + 1);
  if (std::string zone = member(task, "AvailabilityZone"); !zone.empty()) identity.zone = zone;
  if (std::string revision = member(task, "Revision"); !revision.empty()) identity.revision = revision;
  std::size_t addresses = task.find("\"IPv4Addresses\"");
  if (addresses != std::string::npos) {
    std::size_t from = task.find('"', task.find('[', addresses)) + 1;
    identity.address = task.substr(from, task.find('"', from) - from);
  }
  return identity;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 512)) {
    if (c == '"' || c == '\\') out += '\\';
    out += (static_cast<unsigned char>(c) < 0x20) ? ' ' : c;
  }
  return out;
}

std::string header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    line.remove_prefix(name.size() + 1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    return std::string(line);
  }
  return {};
}

std::string page(const Identity& me) {
  return "<!doctype html><html lang=en><meta charset=utf-8><title>hello</title>"
         "<style>body{font:18px system-ui;margin:10vh auto;max-width:34em;color:#223}dt{color:#678}dd{margin:0 0 .8em;"
         "font-family:ui-monospace,monospace}</style><h1>" +
         environment("GREETING", "Hello") + "</h1><dl><dt>task</dt><dd>" + me.task + "</dd><dt>zone</dt><dd>" +
         me.zone + "</dd><dt>address</dt><dd>" + me.address + "</dd><dt>revision</dt><dd>" + me.revision +
         "</dd><dt>requests answered by this task</dt><dd>" + std::to_string(served.load()) + "</dd></dl></html>\n";
}

struct Answer {
  int status = 200;
  std::string type = "text/plain", body;
};

Answer answer(const Identity& me, std::string_view path) {
  if (path == "/health") {
    bool broken = environment("HEALTH", "ok") == "broken";
    return {broken ? 500 : 200, "text/plain", broken ? "broken\n" : "ok\n"};
  }
  if (path == "/whoami")
    return {200, "application/json",
            "{\"task\":\"" + me.task + "\",\"zone\":\"" + me.zone + "\",\"address\":\"" + me.address +
                "\",\"revision\":\"" + me.revision + "\"}\n"};
  // The address that the internet sees this task come from: the NAT gateway's.
  if (path == "/outbound") {
    Fetched seen = fetch("checkip.amazonaws.com", "80", "/");
    if (seen.status == 200) return {200, "text/plain", seen.body};
    return {502, "text/plain", "the internet does not answer\n"};
  }
  if (path == "/slow") {
    usleep(1'000'000);
    return {200, "text/plain", "slow\n"};
  }
  if (path == "/") return {200, "text/html; charset=utf-8", page(me)};
  return {404, "text/plain", "not found\n"};
}

void log_request(const Identity& me, std::string_view method, std::string_view path, int status,
                 std::string_view client) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::printf(
      "{\"time\":%ld.%03ld,\"level\":\"info\",\"task\":\"%s\",\"method\":\"%s\",\"path\":\"%s\",\"status\":%d,"
      "\"client\":\"%s\"}\n",
      now.tv_sec, now.tv_nsec / 1'000'000, me.task.c_str(), escaped(method).c_str(), escaped(path).c_str(), status,
      escaped(client).c_str());
  std::fflush(stdout);
}

void serve_connection(int fd, const Identity& me) {
  std::string buffer;
  char chunk[4096];
  bool keep = true;
  while (keep) {
    std::size_t end = buffer.find("\r\n\r\n");
    if (end == std::string::npos) {
      pollfd waiting{fd, POLLIN, 0};
      if (buffer.size() > 16384 || poll(&waiting, 1, 75'000) != 1) break;
      ssize_t count = recv(fd, chunk, sizeof chunk, 0);
      if (count <= 0) break;
      buffer.append(chunk, static_cast<std::size_t>(count));
      continue;
    }
    std::string head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    std::size_t space = head.find(' ');
    std::size_t second = head.find(' ', space + 1);
    if (second == std::string::npos) break;
    std::string method = head.substr(0, space);
    const std::string target = head.substr(space + 1, second - space - 1);
    const std::string path = target.substr(0, target.find('?'));
    Answer reply = answer(me, path);
    ++served;
    keep = !stopping && strcasecmp(header(head, "Connection").c_str(), "close") != 0;
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + (reply.status == 200 ? " OK" : " Error") +
                       "\r\nContent-Type: " + reply.type + "\r\nContent-Length: " + std::to_string(reply.body.size()) +
                       (keep ? "\r\n" : "\r\nConnection: close\r\n") + "\r\n";
    if (method != "HEAD") text += reply.body;
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) break;
    if (path != "/health") log_request(me, method, target, reply.status, header(head, "X-Forwarded-For"));
  }
  close(fd);
  --open_connections;
}

// The endpoint may be away for a moment, as any other service.
Identity identify_patiently() {
  Identity identity = identify();
  const bool has_endpoint = !environment("ECS_CONTAINER_METADATA_URI_V4", "").empty();
  for (int i = 0; i < 60 && has_endpoint && identity.task == "unknown" && !stopping; ++i) {
    usleep(500'000);
    identity = identify();
  }
  return identity;
}

int serve() {
  std::signal(SIGPIPE, SIG_IGN);
  struct sigaction action{};
  action.sa_handler = [](int) { stopping = true; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  const Identity me = identify_patiently();
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(environment("PORT", "8000").c_str())));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 512) != 0) {
    std::perror("listen");
    return 1;
  }
  std::printf("{\"level\":\"info\",\"message\":\"listening\",\"task\":\"%s\",\"zone\":\"%s\"}\n", me.task.c_str(),
              me.zone.c_str());
  std::fflush(stdout);
  while (!stopping) {
    pollfd waiting{listener, POLLIN, 0};
    if (poll(&waiting, 1, 500) != 1) continue;
    int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++open_connections;
    std::thread(serve_connection, fd, std::cref(me)).detach();
  }
  close(listener);
  for (int i = 0; i < 200 && open_connections > 0; ++i) usleep(10'000);
  std::printf("{\"level\":\"info\",\"message\":\"stopped\"}\n");
  std::fflush(stdout);
  _exit(0);
}

}  // namespace

int main(int count, char** arguments) {
  std::string_view mode = count > 1 ? arguments[1] : "";
  if (mode == "--check") return fetch("127.0.0.1", environment("PORT", "8000"), "/health").status == 200 ? 0 : 1;
  if (mode == "--probe" && count > 2) {
    std::string target = arguments[2];
    std::size_t colon = target.rfind(':');
    int fd = dial(target.substr(0, colon), target.substr(colon + 1));
    std::printf("%s is %s\n", target.c_str(), fd >= 0 ? "reachable" : "unreachable");
    return fd >= 0 ? 0 : 1;
  }
  return serve();
}
