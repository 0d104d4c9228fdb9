// Reads every clock, with and without the vDSO, in two threads that nap, until a file is there. Ends with 1 when one ran
// backwards.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char* over;
static long readings;

static long long now(clockid_t which, int raw) {
  struct timespec t;
  if (raw)
    syscall(SYS_clock_gettime, which, &t);
  else
    clock_gettime(which, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void* watch(void* nothing) {
  const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME, CLOCK_MONOTONIC_COARSE};
  long long last[5] = {0};
  for (long i = 0; access(over, F_OK) != 0; ++i) {
    for (int burst = 0; burst < 200; ++burst)
      for (int c = 0; c < 5; ++c) {
        long long t = now(clocks[c], burst % 50 == 0);
        if (t < last[c]) {
          printf("clock %d ran back by %lld ns\n", clocks[c], last[c] - t);
          fflush(stdout);
          _exit(1);
        }
        last[c] = t;
        ++readings;
      }
    struct timespec nap = {0, 5000000};
    nanosleep(&nap, NULL);
  }
  return nothing;
}

int main(int count, char** words) {
  pthread_t other;
  if (count < 2) return 2;
  over = words[1];
  puts("begun");
  fflush(stdout);
  pthread_create(&other, NULL, watch, NULL);
  watch(NULL);
  pthread_join(other, NULL);
  printf("%ld readings\n", readings);
  return 0;
}
