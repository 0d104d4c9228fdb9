// For tests with real containers: the static target program, an image that holds it, and a network namespace of the
// test's own.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "core/testing.h"
#include "planes/containers/blobs.h"
#include "planes/keeper/process.h"

namespace brume::testing {

// The target's bytes; compiled once for a test program. Empty when there is no compiler that links statically.
inline const std::string& target_program() {
  static const std::string kProgram = [] {
    const TemporaryDirectory directory;
    // __FILE__ may be relative to the build directory, where the test program is.
    const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const std::string source = ((build / __FILE__).parent_path() / "target_program.cc").string();
    const std::string output = directory.path() + "/target";
    for (const char* compiler : {"clang++-19", "g++"}) {
      const std::string command = std::string(compiler) + " -x c++ -O1 -static -o " + output + " " + source;
      if (std::system(command.c_str()) == 0) return containers::read_file(output).value_or("");
    }
    return std::string();
  }();
  return kProgram;
}

// A network namespace with a loopback interface only, bound to a path in the directory.
class TestNamespace {
 public:
  explicit TestNamespace(const std::string& path) : path_(path) {
    std::ofstream(path_).flush();
    std::thread([this] {
      if (::unshare(CLONE_NEWNET) != 0) std::abort();
      const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      ifreq request{};
      std::memcpy(request.ifr_name, "lo", 3);
      request.ifr_flags = IFF_UP;
      if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) std::abort();
      ::close(socket);
      if (::mount("/proc/thread-self/ns/net", path_.c_str(), nullptr, MS_BIND, nullptr) != 0) std::abort();
    }).join();
  }
  TestNamespace(const TestNamespace&) = delete;
  TestNamespace& operator=(const TestNamespace&) = delete;
  ~TestNamespace() { ::umount2(path_.c_str(), MNT_DETACH); }
  const std::string& path() const { return path_; }

  // An HTTP answer's first line from a port inside, asked again until it is there or the time is up. On a thread that
  // enters the namespace: never from the host's.
  std::string get(int port, std::chrono::milliseconds limit = std::chrono::seconds(10)) const {
    std::string answer;
    std::thread([&] {
      const keeper::Descriptor space(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
      if (::setns(space.get(), CLONE_NEWNET) != 0) return;
      const auto deadline = std::chrono::steady_clock::now() + limit;
      while (answer.empty() && std::chrono::steady_clock::now() < deadline) answer = ask(port);
    }).join();
    return answer;
  }

 private:
  static std::string ask(int port) {
    const keeper::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::usleep(200);
      return {};
    }
    constexpr std::string_view kRequest = "GET / HTTP/1.0\r\n\r\n";
    if (::write(socket.get(), kRequest.data(), kRequest.size()) < 0) return {};
    char buffer[512];
    const ssize_t got = ::read(socket.get(), buffer, sizeof buffer);
    if (got <= 0) return {};
    const std::string text(buffer, static_cast<std::size_t>(got));
    return text.substr(0, text.find('\r'));
  }
  std::string path_;
};

}  // namespace brume::testing
