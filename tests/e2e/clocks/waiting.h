// What the waiting programs have in common: each wait in a process of its own, all at once; of each its name, how long
// it took by the clock that it sees, by its calendar, and by the machine's: a file's time stamp, which nobody turns.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int seconds, stamp;

static double seen(clockid_t which) {
  struct timespec t;
  clock_gettime(which, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static double machine(void) {
  struct stat status;
  futimens(stamp, NULL);
  fstat(stamp, &status);
  return (double)status.st_mtim.tv_sec + (double)status.st_mtim.tv_nsec / 1e9;
}

// `wait_in` gives a wait's name when it is over, and NULL for one that failed; then what comes back is not zero.
static int all_at_once(int kinds, const char* path, const char* (*wait_in)(int)) {
  for (int i = 0; i < kinds; ++i) {
    if (fork() != 0) continue;
    char own[256];
    snprintf(own, sizeof own, "%s.%d", path, i);
    stamp = open(own, O_RDWR | O_CREAT, 0600);
    const double calendar = seen(CLOCK_REALTIME), real = machine(), begun = seen(CLOCK_MONOTONIC);
    const char* name = wait_in(i);
    const double took = seen(CLOCK_MONOTONIC) - begun;
    if (name != NULL) printf("%s %.3f %.3f %.3f\n", name, took, seen(CLOCK_REALTIME) - calendar, machine() - real);
    fflush(stdout);
    unlink(own);
    _exit(name == NULL);
  }
  int status, failed = 0;
  while (wait(&status) > 0) failed |= status;
  return failed != 0;
}
