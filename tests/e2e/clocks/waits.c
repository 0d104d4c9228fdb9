// Waits for some seconds in every way that C has, each in a process of its own, all at once. Prints for each its name, how
// long it took by the clock that it sees, and by the machine's: a file's time stamp, which nobody turns.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "waiting.h"

static struct timespec span(void) { return (struct timespec){seconds, 0}; }
static struct timespec at(clockid_t which) {
  struct timespec t;
  clock_gettime(which, &t);
  t.tv_sec += seconds;
  return t;
}
static void ignore(int signal) { (void)signal; }

static void by_nanosleep(void) { struct timespec t = span(); nanosleep(&t, NULL); }
static void by_raw_nanosleep(void) { struct timespec t = span(); syscall(SYS_nanosleep, &t, NULL); }
static void by_clock_nanosleep(void) { struct timespec t = at(CLOCK_MONOTONIC); clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); }
static void by_calendar_sleep(void) { struct timespec t = at(CLOCK_REALTIME); clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL); }
static void by_poll(void) { poll(NULL, 0, seconds * 1000); }
static void by_ppoll(void) { struct timespec t = span(); ppoll(NULL, 0, &t, NULL); }
static void by_select(void) {
  struct timeval t = {seconds, 0};
  select(0, NULL, NULL, NULL, &t);
#ifdef __GLIBC__
  if (t.tv_sec != 0 || t.tv_usec != 0) exit(3);  // Linux says what is left; musl keeps it to itself
#endif
}
static void by_pselect(void) { struct timespec t = span(); pselect(0, NULL, NULL, NULL, &t, NULL); }
static void by_epoll_wait(void) { struct epoll_event e; epoll_wait(epoll_create1(0), &e, 1, seconds * 1000); }
static void by_epoll_pwait2(void) { struct epoll_event e; struct timespec t = span(); syscall(SYS_epoll_pwait2, epoll_create1(0), &e, 1, &t, NULL, 8); }
static void by_futex(void) { int word = 0; struct timespec t = span(); syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0); }
static void by_futex_bitset(void) { int word = 0; struct timespec t = at(CLOCK_MONOTONIC); syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0); }
static void by_condition(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  struct timespec t = at(CLOCK_REALTIME);
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&condition, &mutex, &t) != ETIMEDOUT) {}
}
// What std::condition_variable of C++ waits by.
static void by_monotonic_condition(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_condattr_t attributes;
  pthread_cond_t condition;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&condition, &attributes);
  struct timespec t = at(CLOCK_MONOTONIC);
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&condition, &mutex, &t) != ETIMEDOUT) {}
}
static void by_semaphore(void) { sem_t s; sem_init(&s, 0, 0); struct timespec t = at(CLOCK_REALTIME); while (sem_timedwait(&s, &t) != 0 && errno == EINTR) {} }
static void by_timerfd(void) {
  int file = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec t = {{0, 0}, span()};
  unsigned long long rings;
  timerfd_settime(file, 0, &t, NULL);
  if (read(file, &rings, 8) != 8) exit(3);
}
static void by_calendar_timerfd(void) {
  int file = timerfd_create(CLOCK_REALTIME, 0);
  struct itimerspec t = {{0, 0}, at(CLOCK_REALTIME)};
  struct pollfd p = {file, POLLIN, 0};
  timerfd_settime(file, TFD_TIMER_ABSTIME, &t, NULL);
  poll(&p, 1, -1);
}
static void by_epolled_timerfd(void) {
  int file = timerfd_create(CLOCK_MONOTONIC, 0), set = epoll_create1(0);
  struct itimerspec t = {{seconds, 0}, span()};
  struct epoll_event e = {EPOLLIN, {0}};
  timerfd_settime(file, 0, &t, NULL);
  epoll_ctl(set, EPOLL_CTL_ADD, file, &e);
  while (epoll_wait(set, &e, 1, -1) < 0 && errno == EINTR) exit(4);  // no signal was ours
}
static void by_boottime_timerfd(void) {
  int file = timerfd_create(CLOCK_BOOTTIME, 0);
  struct itimerspec t = {{0, 0}, at(CLOCK_BOOTTIME)};
  unsigned long long rings;
  timerfd_settime(file, TFD_TIMER_ABSTIME, &t, NULL);
  if (read(file, &rings, 8) != 8) exit(3);
}
static void by_setitimer(void) { signal(SIGALRM, ignore); struct itimerval t = {{0, 0}, {seconds, 0}}; setitimer(ITIMER_REAL, &t, NULL); pause(); }
static void by_alarm(void) { signal(SIGALRM, ignore); alarm((unsigned)seconds); pause(); }
static void by_interrupted_sleep(void) {
  signal(SIGALRM, ignore);
  alarm((unsigned)seconds);
  struct timespec t = {seconds * 3, 0};
  if (nanosleep(&t, &t) == 0 || errno != EINTR || t.tv_sec < seconds / 2 || t.tv_sec > seconds * 2) exit(5);
}
static void by_posix_timer(void) {
  timer_t timer;
  sigset_t set;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  struct itimerspec t = {{0, 0}, span()};
  timer_settime(timer, 0, &t, NULL);
  while (sigwaitinfo(&set, NULL) != SIGUSR1) {}
}
static void by_sigtimedwait(void) { sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1); struct timespec t = span(); sigtimedwait(&set, NULL, &t); }
static void by_semtimedop(void) {
  int id = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf take = {0, -1, 0};
  struct timespec t = span();
  semtimedop(id, &take, 1, &t);
  semctl(id, 0, IPC_RMID);
}
// The kernel looks at this time-out only when a message has come: another process sends one each sixtieth of it. A turn of
// the clock ends the call early when it has messages, as a signal does; what was left is waited for by the next.
static void by_recvmmsg(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) exit(6);
  const pid_t sender = fork();
  if (sender == 0) {
    close(ends[0]);
    const long long pause = seconds * 1000000000ll / 60;
    struct timespec t = {pause / 1000000000, pause % 1000000000};
    do nanosleep(&t, NULL);
    while (send(ends[1], "", 1, MSG_NOSIGNAL) == 1);
    exit(0);
  }
  close(ends[1]);
  char byte;
  struct iovec part = {&byte, 1};
  static struct mmsghdr messages[1000];
  for (int i = 0; i < 1000; ++i) messages[i].msg_hdr.msg_iov = &part, messages[i].msg_hdr.msg_iovlen = 1;
  struct timespec t = span();
  do if (recvmmsg(ends[0], messages, 1000, 0, &t) <= 0) exit(7);
  while (t.tv_sec > 0 || t.tv_nsec > 0);
  kill(sender, SIGKILL);
  waitpid(sender, NULL, 0);
}

static const struct { const char* name; void (*wait)(void); } kWaits[] = {
    {"nanosleep", by_nanosleep}, {"raw_nanosleep", by_raw_nanosleep}, {"clock_nanosleep", by_clock_nanosleep}, {"calendar_sleep", by_calendar_sleep},
    {"poll", by_poll}, {"ppoll", by_ppoll}, {"select", by_select}, {"pselect", by_pselect},
    {"epoll_wait", by_epoll_wait}, {"epoll_pwait2", by_epoll_pwait2}, {"futex", by_futex},
    {"futex_bitset", by_futex_bitset}, {"condition", by_condition}, {"monotonic_condition", by_monotonic_condition}, {"semaphore", by_semaphore},
    {"timerfd", by_timerfd}, {"calendar_timerfd", by_calendar_timerfd}, {"epolled_timerfd", by_epolled_timerfd}, {"boottime_timerfd", by_boottime_timerfd},
    {"setitimer", by_setitimer}, {"alarm", by_alarm}, {"interrupted_sleep", by_interrupted_sleep}, {"posix_timer", by_posix_timer},
    {"sigtimedwait", by_sigtimedwait}, {"semtimedop", by_semtimedop},
    {"recvmmsg", by_recvmmsg}};

static const char* wait_in(int i) {
  kWaits[i].wait();
  return kWaits[i].name;
}

int main(int count, char** words) {
  if (count < 3) return 2;
  seconds = atoi(words[1]);
  puts("begun");
  fflush(stdout);
  return all_at_once(sizeof kWaits / sizeof *kWaits, words[2], wait_in);
}
