#include "core/system.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "core/text.h"

namespace brume {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string read_to_end(int descriptor) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(descriptor, buffer, sizeof buffer)) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

std::string beginning_of(pid_t process) {
  const std::string line = read_file("/proc/" + std::to_string(process) + "/stat");
  // The name, in parentheses, may hold anything; the beginning is the twentieth field after it (proc(5)).
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  const std::vector<std::string_view> fields = split(std::string_view(line).substr(name_end + 1), ' ');
  constexpr std::size_t kBeginning = 20;  // the first is empty: a space follows the name
  return fields.size() > kBeginning ? std::string(fields[kBeginning]) : std::string();
}

}  // namespace brume
