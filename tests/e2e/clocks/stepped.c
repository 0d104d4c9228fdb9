// A machine whose clock is set: preloaded into the daemon and its keeper, adds to the calendar's time what the file
// CLOCK_STEP says (nanoseconds, an int64 that a test writes). Waits until a moment of the calendar are cut into short
// ones, which end early as any may, so that a step is seen in the midst of one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define SLICE 20000000LL

static const volatile int64_t *page;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

__attribute__((constructor)) static void begin(void) {
  real_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  real_clockwait = (int (*)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))dlsym(
      RTLD_NEXT, "pthread_cond_clockwait");
  const char *path = getenv("CLOCK_STEP");
  const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED) page = (const volatile int64_t *)mapped;
}

static int64_t step(void) { return page ? *page : 0; }

static struct timespec moved(const struct timespec *time, int64_t by) {
  const int64_t ns = time->tv_sec * SECOND + time->tv_nsec + by;
  return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  if (!real_gettime) begin();
  const int result = real_gettime(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) *time = moved(time, step());
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until) {
  if (clock != CLOCK_REALTIME) return real_clockwait(condition, mutex, clock, until);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t left = (until->tv_sec - now.tv_sec) * SECOND + until->tv_nsec - now.tv_nsec;
  if (left <= 0) return ETIMEDOUT;
  real_gettime(CLOCK_MONOTONIC, &now);
  const struct timespec end = moved(&now, left < SLICE ? left : SLICE);
  real_clockwait(condition, mutex, CLOCK_MONOTONIC, &end);
  return 0;  // as if woken: whoever waits looks at its condition, and at the clock
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, until);
}
