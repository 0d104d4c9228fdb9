// Waits as a program does that forbids itself the newer calls: a seccomp filter of its own refuses, or kills for, what
// it does not know. Arguments: seconds, a file's path, `kill` or `refuse`. Prints as waits.c does.
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "waiting.h"

static long by_poll(void) { return syscall(SYS_poll, NULL, 0, seconds * 1000); }
static long by_select(void) {
  struct timeval t = {seconds, 0};
  const long result = syscall(SYS_select, 0, NULL, NULL, NULL, &t);
  return result != 0 ? result : t.tv_sec + t.tv_usec;
}
static long by_epoll_wait(void) { struct epoll_event e; return syscall(SYS_epoll_wait, epoll_create1(0), &e, 1, seconds * 1000); }
static long by_epoll_pwait(void) { struct epoll_event e; return syscall(SYS_epoll_pwait, epoll_create1(0), &e, 1, seconds * 1000, NULL, 8); }
static const struct { const char* name; long (*wait)(void); } kWaits[] = {
    {"poll", by_poll}, {"select", by_select}, {"epoll_wait", by_epoll_wait}, {"epoll_pwait", by_epoll_pwait}};

static int forbid(unsigned action) {
  struct sock_filter code[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
                               {BPF_JMP | BPF_JEQ | BPF_K, 2, 0, SYS_ppoll},
                               {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_pselect6},
                               {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_epoll_pwait2},
                               {BPF_RET | BPF_K, 0, 0, action},
                               {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  struct sock_fprog program = {6, code};
  // One way for half of them, the other for the rest.
  if (action == SECCOMP_RET_KILL_PROCESS) return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static const char* wait_in(int i) {
  return kWaits[i].wait() == 0 ? kWaits[i].name : NULL;
}

int main(int count, char** words) {
  if (count < 4) return 2;
  seconds = atoi(words[1]);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      forbid(strcmp(words[3], "kill") == 0 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | 1) != 0) return 3;
  return all_at_once(sizeof kWaits / sizeof *kWaits, words[2], wait_in);
}
