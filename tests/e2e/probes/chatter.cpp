// A program that says COUNT lines of WIDTH letters, each with its number, and ends with code 3 at once; the last line
// has no end.
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int, char** arguments) {
  const int count = std::atoi(arguments[1]), width = std::atoi(arguments[2]);
  const std::string padding(static_cast<std::size_t>(width), '.');
  for (int number = 1; number <= count; ++number)
    std::printf("%d %s%s", number, padding.c_str(), number < count ? "\n" : "");
  std::fflush(stdout);
  return 3;
}
