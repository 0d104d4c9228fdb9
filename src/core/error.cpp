#include "core/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace brume {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  std::abort();
}

void throw_errno(std::string_view what) {
  const int code = errno;
  throw PlaneError(PlaneError::Kind::transient, std::string(what) + ": " + std::strerror(code));
}

}  // namespace brume
