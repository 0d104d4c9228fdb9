// A program that tries to get out of its container, for tests of isolation: the image of a task.
//
//   intruder serve PORT     obeys one command a connection on 127.0.0.1:PORT, until SIGTERM
//   intruder ask PORT ...   sends a command to such a server and prints its answer (run in the task's network
//   namespace)
//
// Commands: "escapes" tries what a container must not be able to do and prints "NAME OUTCOME" lines, OUTCOME being
// "done", an error's name, or "killed" (by the seccomp filter); "show PATH" prints a file; "list PATH" a directory;
// "write PATH TEXT" writes one; "http ADDRESS PORT METHOD PATH HOST HEADER" prints what an HTTP server answers ('~' in
// the header is a space); "setuid PATH" makes a set-user-id program;
// "allocate PATH GIB" makes a file that takes so much of the disk; "connect ABSTRACT-NAME" tries a unix socket;
// "processes COUNT" starts so many, and says how many it got.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr long kX32 = 0x40000000;

int print_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (file < 0) return std::printf("%s\n", strerrorname_np(errno)), 1;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(file, buffer, sizeof buffer)) > 0)
    std::fwrite(buffer, 1, static_cast<std::size_t>(count), stdout);
  if (count < 0) std::printf("%s\n", strerrorname_np(errno));
  return 0;
}

// They share this one's memory, so that no limit but that of processes is met.
int start_processes(int count) {
  std::vector<pid_t> started;
  const char* error = "none";
  constexpr std::size_t kStack = 8192;
  for (int i = 0; i < count; ++i) {
    void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const auto sleep = [](void*) -> int {
      while (true) pause();
    };
    const pid_t made =
        clone(sleep, static_cast<char*>(stack) + kStack, CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD, nullptr);
    if (made < 0) {
      error = strerrorname_np(errno);
      break;
    }
    started.push_back(made);
  }
  for (const pid_t pid : started) kill(pid, SIGKILL);
  for (const pid_t pid : started) waitpid(pid, nullptr, 0);
  std::printf("%zu %s\n", started.size(), error);
  return 0;
}

int list_directory(const std::string& path) {
  DIR* directory = opendir(path.c_str());
  if (!directory) return std::printf("%s\n", strerrorname_np(errno)), 1;
  while (const dirent* entry = readdir(directory)) {
    char target[512];
    const ssize_t size = readlink((path + "/" + entry->d_name).c_str(), target, sizeof target - 1);
    std::printf("%s%s%.*s\n", entry->d_name, size > 0 ? " -> " : "", static_cast<int>(size > 0 ? size : 0), target);
  }
  return 0;
}

long write_file(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY);
  if (file < 0) return -1;
  const ssize_t count = write(file, text.data(), text.size());
  const int error = errno;
  close(file);
  errno = error;
  return count;
}

int connected_to(const char* address, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address, &to.sin_addr);
  const timeval limit{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

int exchange(int fd, const std::string& request) {
  if (fd < 0) return std::printf("%s\n", strerrorname_np(errno)), 1;
  send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  shutdown(fd, SHUT_WR);
  char buffer[4096];
  ssize_t count = 0;
  while ((count = recv(fd, buffer, sizeof buffer, 0)) > 0)
    std::fwrite(buffer, 1, static_cast<std::size_t>(count), stdout);
  return 0;
}

int connect_abstract(const std::string& name) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path + 1, name.data(), std::min(name.size(), sizeof to.sun_path - 1));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int result = connect(fd, reinterpret_cast<sockaddr*>(&to), size);
  std::printf("%s\n", result == 0 ? "connected" : strerrorname_np(errno));
  return 0;
}

// Each attempt in a process of its own: one that the kernel kills says so.
void attempt(const std::string& name, const std::function<long()>& act) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    errno = 0;
    const long result = act();
    std::printf("%s %s\n", name.c_str(), result < 0 ? strerrorname_np(errno) : "done");
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) std::printf("%s killed\n", name.c_str());
}

// A node made in a directory of its own, and opened: the cgroup's list of devices is asked at the open.
long open_device(mode_t kind, unsigned int high, unsigned int low) {
  unlink("/node");
  if (mknod("/node", kind | 0600, makedev(high, low)) != 0) return -1;
  const int fd = open("/node", O_RDWR);
  const int error = errno;
  unlink("/node");
  errno = error;
  return fd;
}

// Asks the kernel by netlink for another address on the first interface.
long add_address() {
  struct {
    nlmsghdr header;
    ifaddrmsg body;
    rtattr attribute;
    in_addr address;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_NEWADDR;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
  request.body.ifa_family = AF_INET;
  request.body.ifa_prefixlen = 32;
  request.body.ifa_index = if_nametoindex("eth0");
  request.attribute.rta_len = sizeof(rtattr) + sizeof(in_addr);
  request.attribute.rta_type = IFA_LOCAL;
  inet_pton(AF_INET, "10.0.99.99", &request.address);
  const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0 || send(fd, &request, sizeof request, 0) < 0) return -1;
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } answer{};
  if (recv(fd, &answer, sizeof answer, 0) < 0) return -1;
  errno = -answer.error.error;
  return answer.error.error == 0 ? 0 : -1;
}

long set_promiscuous_link_down() {
  ifreq request{};
  std::strcpy(request.ifr_name, "eth0");
  request.ifr_flags = 0;
  return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request);
}

// The 32-bit entry, with the numbers of that table.
long call_i386(long number, long first = 0, long second = 0, long third = 0) {
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(number), "b"(first), "c"(second), "d"(third)
               : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0 || result < -4095) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

void escape_by_calls() {
  attempt("mount-tmpfs", [] { return mount("none", "/proc", "tmpfs", 0, nullptr); });
  attempt("mount-bind", [] { return mount("/", "/proc", nullptr, MS_BIND, nullptr); });
  attempt("remount-proc-sys", [] { return mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND, nullptr); });
  attempt("umount-proc-sys", [] { return umount2("/proc/sys", MNT_DETACH); });
  attempt("open-tree", [] { return syscall(SYS_open_tree, AT_FDCWD, "/", 1); });
  attempt("fsopen", [] { return syscall(SYS_fsopen, "cgroup", 0); });
  attempt("pivot-root", [] { return syscall(SYS_pivot_root, "/", "/"); });
  attempt("unshare-mount", [] { return unshare(CLONE_NEWNS); });
  attempt("unshare-user", [] { return unshare(CLONE_NEWUSER); });
  attempt("unshare-net", [] { return unshare(CLONE_NEWNET); });
  attempt("clone-user", [] { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); });
  attempt("setns-own", [] { return setns(open("/proc/1/ns/net", O_RDONLY), 0); });
  attempt("open-by-handle", [] { return syscall(SYS_open_by_handle_at, 3, "", O_RDONLY); });
  attempt("init-module", [] { return syscall(SYS_init_module, "", 0, ""); });
  attempt("finit-module", [] { return syscall(SYS_finit_module, 0, "", 0); });
  attempt("delete-module", [] { return syscall(SYS_delete_module, "veth", 0); });
  attempt("kexec", [] { return syscall(SYS_kexec_load, 0, 0, nullptr, 0); });
  attempt("bpf", [] { return syscall(SYS_bpf, 0, nullptr, 0); });
  attempt("perf", [] { return syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); });
  attempt("io-uring", [] { return syscall(SYS_io_uring_setup, 1, nullptr); });
  attempt("userfaultfd", [] { return syscall(SYS_userfaultfd, 0); });
  attempt("keyctl", [] { return syscall(SYS_keyctl, 0, -3, 1); });
  attempt("swapon", [] { return syscall(SYS_swapon, "/", 0); });
  attempt("settimeofday", [] { return syscall(SYS_settimeofday, nullptr, nullptr); });
  attempt("sethostname", [] { return sethostname("x", 1); });
  attempt("iopl", [] { return syscall(SYS_iopl, 3); });
  attempt("acct", [] { return syscall(SYS_acct, nullptr); });
  attempt("syslog", [] { return syscall(SYS_syslog, 3, nullptr, 0); });
  attempt("vsock", [] { return socket(40, SOCK_STREAM, 0); });
  attempt("raise-priority", [] { return setpriority(PRIO_PROCESS, 0, -5); });
  attempt("x32-getpid", [] { return syscall(kX32 | SYS_getpid); });
  attempt("x32-mount", [] { return syscall(kX32 | SYS_mount, "none", "/proc", "tmpfs", 0, nullptr); });
  attempt("x32-unshare", [] { return syscall(kX32 | SYS_unshare, CLONE_NEWUSER); });
  attempt("x32-keyctl", [] { return syscall(kX32 | SYS_keyctl, 0, -3, 1); });
  attempt("i386-getpid", [] { return call_i386(20); });
  attempt("i386-mount", [] { return call_i386(21); });
  attempt("i386-unshare", [] { return call_i386(310, CLONE_NEWUSER); });
  attempt("i386-keyctl", [] { return call_i386(288, 0, -3, 1); });
}

void escape_by_files() {
  attempt("disk", [] { return open_device(S_IFBLK, 254, 0); });
  attempt("disk-sd", [] { return open_device(S_IFBLK, 8, 0); });
  attempt("loop", [] { return open_device(S_IFBLK, 7, 0); });
  attempt("memory", [] { return open_device(S_IFCHR, 1, 1); });
  attempt("kmsg", [] { return open_device(S_IFCHR, 1, 11); });
  attempt("tun-interface", [] {  // runc lets the device be opened; it is of no use without a privilege over networks
    ifreq request{};
    request.ifr_flags = 2;  // IFF_TAP
    return ioctl(static_cast<int>(open_device(S_IFCHR, 10, 200)), _IOW('T', 202, int), &request);
  });
  attempt("fuse", [] { return open_device(S_IFCHR, 10, 229); });
  attempt("kvm", [] { return open_device(S_IFCHR, 10, 232); });
  attempt("null", [] { return open_device(S_IFCHR, 1, 3); });
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname",
                           "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/disable_ipv6",
                           "/proc/sys/vm/panic_on_oom", "/proc/sysrq-trigger", "/proc/self/uid_map",
                           "/sys/kernel/uevent_helper", "/sys/class/net/eth0/mtu", "/proc/1/oom_score_adj"})
    attempt(std::string("write:") + path, [path] { return write_file(path, "1"); });
  for (const char* controller : {"memory", "cpu", "devices", "freezer", "pids", "systemd", "rdma", "."}) {
    const std::string directory = std::string("/sys/fs/cgroup/") + controller;
    attempt("write:" + directory + "/release_agent", [&] { return write_file(directory + "/release_agent", "/x"); });
    attempt("write:" + directory + "/cgroup.procs", [&] { return write_file(directory + "/cgroup.procs", "1"); });
    attempt("mkdir:" + directory, [&] { return mkdir((directory + "/escape").c_str(), 0755); });
  }
  attempt("write:devices.allow", [] { return write_file("/sys/fs/cgroup/devices/devices.allow", "a *:* rwm"); });
  attempt("read:kcore", [] {
    char byte = 0;
    return read(open("/proc/kcore", O_RDONLY), &byte, 1) == 1 ? 0L : -1L;
  });
  attempt("chroot-up", [] {
    // The old way out of a chroot: it leads to the container's own root, which holds this program.
    if (mkdir("/inner", 0755) != 0 && errno != EEXIST) return -1L;
    const int root = open("/", O_RDONLY);
    if (chroot("/inner") != 0 || fchdir(root) != 0) return -1L;
    for (int i = 0; i < 64; ++i)
      if (chdir("..") != 0) return -1L;
    if (chroot(".") != 0) return -1L;
    struct stat found{};
    return stat("/intruder", &found) == 0 ? (errno = EPERM, -1L) : 0L;
  });
}

void escape_by_network() {
  attempt("add-address", add_address);
  attempt("link-down", set_promiscuous_link_down);
  attempt("bind-foreign", [] {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    inet_pton(AF_INET, "10.0.99.99", &local.sin_addr);
    return bind(socket(AF_INET, SOCK_DGRAM, 0), reinterpret_cast<sockaddr*>(&local), sizeof local);
  });
  attempt("transparent", [] {
    const int on = 1;
    return setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_IP, 19, &on, sizeof on);  // IP_TRANSPARENT
  });
}

int obey(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words[0];
  const auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string(); };
  if (verb == "show") return print_file(word(1));
  if (verb == "list") return list_directory(word(1));
  if (verb == "connect") return connect_abstract(word(1));
  if (verb == "write") {
    std::printf("%s\n", write_file(word(1), word(2)) < 0 ? strerrorname_np(errno) : "done");
    return 0;
  }
  if (verb == "allocate") {  // a file of so many GiB, which are taken from the disk and not written
    const int file = open(word(1).c_str(), O_WRONLY | O_CREAT, 0600);
    const off_t size = off_t{std::atoi(word(2).c_str())} << 30;
    std::printf("%s\n", fallocate(file, 0, 0, size) == 0 ? "done" : strerrorname_np(errno));
    return 0;
  }
  if (verb == "setuid") {  // a copy of this program that runs as its owner, whoever starts it
    const int from = open("/intruder", O_RDONLY), to = open(word(1).c_str(), O_WRONLY | O_CREAT, 0755);
    char buffer[65536];
    for (ssize_t count = 0; (count = read(from, buffer, sizeof buffer)) > 0;)
      if (write(to, buffer, static_cast<std::size_t>(count)) != count) return 1;
    std::printf("%s\n", fchmod(to, 04755) == 0 ? "done" : strerrorname_np(errno));
    return 0;
  }
  if (verb == "http") {
    std::string header = word(6);
    for (char& c : header) c = c == '~' ? ' ' : c;
    return exchange(connected_to(word(1).c_str(), std::atoi(word(2).c_str())),
                    word(3) + " " + word(4) + " HTTP/1.0\r\nHost: " + (word(5).empty() ? word(1) : word(5)) +
                        (header.empty() ? "" : "\r\n" + header) + "\r\n\r\n");
  }
  if (verb == "processes") return start_processes(std::atoi(word(1).c_str()));
  if (verb != "escapes") return std::printf("unknown command %s\n", verb.c_str()), 2;
  escape_by_calls();
  escape_by_files();
  escape_by_network();
  return 0;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words(1);
  for (const char c : line)
    if (c == ' ')
      words.emplace_back();
    else if (c != '\n')
      words.back() += c;
  return words;
}

int serve(int port) {
  signal(SIGTERM, [](int) { _exit(0); });
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(static_cast<std::uint16_t>(port));
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0 || listen(listener, 16) != 0) return 1;
  while (true) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) continue;
    if (const pid_t child = fork(); child == 0) {
      char line[4096];
      const ssize_t count = recv(connection, line, sizeof line, 0);
      dup2(connection, STDOUT_FILENO);
      const int result = obey(split(std::string(line, count > 0 ? static_cast<std::size_t>(count) : 0)));
      std::fflush(stdout);
      _exit(result);
    } else {
      close(connection);
      waitpid(child, nullptr, 0);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 2 && words[0] == "serve") return serve(std::atoi(words[1].c_str()));
  if (words.size() < 3 || words[0] != "ask") return obey(words);
  std::string line;
  for (std::size_t i = 2; i < words.size(); ++i) line += (i > 2 ? " " : "") + words[i];
  return exchange(connected_to("127.0.0.1", std::atoi(words[1].c_str())), line);
}
