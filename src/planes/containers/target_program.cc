// What tests run inside containers: one static program, made from this file by the test itself.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// Answers every request on the port with 200 and "ok".
int serve(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<unsigned short>(port));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 128) != 0) {
    return 1;
  }
  char buffer[4096];
  constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
  while (true) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) continue;
    if (read(connection, buffer, sizeof buffer) > 0 && write(connection, kAnswer, sizeof kAnswer - 1) < 0) return 1;
    close(connection);
  }
}

void print_file(const char* path) {
  std::FILE* file = std::fopen(path, "r");
  if (file == nullptr) {
    std::printf("%s: %s\n", path, std::strerror(errno));
    return;
  }
  char line[1024];
  while (std::fgets(line, sizeof line, file) != nullptr) std::printf("%s", line);
  std::fclose(file);
}

int touch(const char* path) {
  const int file = open(path, O_WRONLY | O_CREAT, 0644);
  if (file < 0) std::printf("%s: %s\n", path, std::strerror(errno));
  return file < 0 ? 1 : 0;
}

int wait_for_term() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  std::printf("signal %d\n", signal);
  return 7;
}

// Writes, says so, and goes on living.
int fill(const char* path, int megabytes) {
  const int file = open(path, O_WRONLY | O_CREAT, 0644);
  static char block[1 << 20];
  for (int i = 0; i < megabytes; ++i) {
    if (write(file, block, sizeof block) < 0) return 1;
  }
  close(file);
  return wait_for_term();
}

int allocate(std::size_t megabytes) {
  for (std::size_t i = 0; i < megabytes; ++i) {
    void* page = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(page, 1, 1 << 20);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string verb = count > 1 ? arguments[1] : "";
  const char* value = count > 2 ? arguments[2] : "";
  if (verb == "serve") return serve(std::atoi(value));
  if (verb == "exit") return std::atoi(value);
  if (verb == "term") return wait_for_term();
  if (verb == "allocate") return allocate(static_cast<std::size_t>(std::atoi(value)));
  if (verb == "touch") return touch(value);
  if (verb == "fill" && count > 3) return fill(value, std::atoi(arguments[3]));
  if (verb == "ignore") {
    signal(SIGTERM, SIG_IGN);
    std::puts("ready");
    std::fflush(stdout);
    while (true) pause();
  }
  if (verb == "count") {
    for (int i = 1; i <= std::atoi(value); ++i) std::printf("%d\n", i);
    return 0;
  }
  if (verb == "show") {  // environment, identity, files
    for (char** entry = environ; *entry != nullptr; ++entry) std::printf("%s\n", *entry);
    char host[256];
    gethostname(host, sizeof host);
    char directory[1024];
    std::printf("hostname=%s uid=%u gid=%u pid=%d cwd=%s\n", host, getuid(), getgid(), getpid(),
                getcwd(directory, sizeof directory));
    for (int i = 2; i < count; ++i) print_file(arguments[i]);
    return 0;
  }
  std::fprintf(stderr, "unknown verb %s\n", verb.c_str());
  return 2;
}
