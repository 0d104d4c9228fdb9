#include "planes/containers/seccomp_profile.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "core/text.h"

namespace brume::containers {
namespace {

namespace json = boost::json;

// Names by the kernel's table; an older libseccomp ignores those that it does not know.
constexpr std::string_view kAllowed =
    "accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime "
    "clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
    "clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 "
    "epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
    "exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 "
    "fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat "
    "fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait "
    "futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid "
    "getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom "
    "getresgid getresgid32 getresuid getresuid32 getrlimit get_robust_list getrusage getsid getsockname getsockopt "
    "get_thread_area gettid gettimeofday getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 "
    "inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents io_pgetevents_time64 ioprio_get ioprio_set "
    "io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 "
    "lgetxattr link linkat listen listxattr llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise "
    "map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall "
    "mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
    "mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap "
    "name_to_handle_at nanosleep newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe "
    "pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 "
    "process_mrelease pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat "
    "readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr rename renameat renameat2 "
    "restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
    "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam "
    "sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval "
    "sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield "
    "seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto "
    "setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority "
    "setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list "
    "setsid setsockopt set_thread_area set_tid_address setuid setuid32 setxattr shmat shmctl shmdt shmget shutdown "
    "sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 "
    "statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete "
    "timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime "
    "timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink "
    "unlinkat utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev arch_prctl "
    "modify_ldt";

struct ByCapability {
  std::string_view capability, calls;
};
constexpr std::array kByCapability = {
    ByCapability{"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
    ByCapability{"CAP_SYS_ADMIN",
                 "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
                 "move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog "
                 "umount umount2 unshare"},
    ByCapability{"CAP_SYS_BOOT", "reboot"},
    ByCapability{"CAP_SYS_CHROOT", "chroot"},
    ByCapability{"CAP_SYS_MODULE", "delete_module init_module finit_module"},
    ByCapability{"CAP_SYS_PACCT", "acct"},
    ByCapability{"CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev"},
    ByCapability{"CAP_SYS_RAWIO", "iopl ioperm"},
    ByCapability{"CAP_SYS_TIME", "settimeofday stime clock_settime clock_settime64"},
    ByCapability{"CAP_SYS_TTY_CONFIG", "vhangup"},
    ByCapability{"CAP_SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    ByCapability{"CAP_SYSLOG", "syslog"},
    ByCapability{"CAP_BPF", "bpf"},
    ByCapability{"CAP_PERFMON", "perf_event_open"}};

// The flags of clone that make namespaces.
constexpr std::int64_t kNamespaceFlags = 0x7e02'0000;
constexpr std::int64_t kAfVsock = 40;
constexpr std::array<std::int64_t, 5> kPersonalities = {0x0, 0x0008, 0x20000, 0x20008, 0xffff'ffff};

json::object allow(std::string_view calls) {
  json::array names;
  for (const std::string_view name : split(calls, ' ')) names.emplace_back(json::string_view(name.data(), name.size()));
  return {{"names", std::move(names)}, {"action", "SCMP_ACT_ALLOW"}};
}

json::object allow_if(std::string_view call, json::object argument) {
  json::object rule = allow(call);
  rule["args"] = json::array{std::move(argument)};
  return rule;
}

}  // namespace

json::value seccomp_profile(const std::vector<std::string>& capabilities) {
  const auto holds = [&](std::string_view name) { return std::ranges::find(capabilities, name) != capabilities.end(); };
  json::array rules{allow(kAllowed)};
  for (const std::int64_t value : kPersonalities) {
    rules.push_back(allow_if("personality", {{"index", 0}, {"value", value}, {"op", "SCMP_CMP_EQ"}}));
  }
  rules.push_back(allow_if("socket", {{"index", 0}, {"value", kAfVsock}, {"op", "SCMP_CMP_NE"}}));
  for (const ByCapability& entry : kByCapability) {
    if (holds(entry.capability)) rules.push_back(allow(entry.calls));
  }
  if (!holds("CAP_SYS_ADMIN")) {
    rules.push_back(
        allow_if("clone", {{"index", 0}, {"value", kNamespaceFlags}, {"valueTwo", 0}, {"op", "SCMP_CMP_MASKED_EQ"}}));
    // Its flags are behind a pointer, so it cannot be judged; told that it does not exist, the C library uses clone.
    rules.push_back(json::object{{"names", json::array{"clone3"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", ENOSYS}});
  }
  return json::object{{"defaultAction", "SCMP_ACT_ERRNO"},
                      {"defaultErrnoRet", EPERM},
                      // Without x32, which Docker lists too: no distribution has such programs. A call by that ABI is
                      // none of an architecture the filter has: it ends the process.
                      {"architectures", json::array{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}},
                      {"syscalls", std::move(rules)}};
}

}  // namespace brume::containers
