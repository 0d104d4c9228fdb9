// A program of another architecture without a library: writes the seconds of the calendar, four bytes.
static int call(int number, int a, int b, int c) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}
void _start(void) {
  int now = call(13, 0, 0, 0);
  call(4, 1, (int)&now, 4);
  call(1, 0, 0, 0);
}
