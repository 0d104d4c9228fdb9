#include "core/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>

#include "core/error.h"
#include "core/time.h"

namespace brume::log {
namespace {

// The one process-wide state here: a log that had to be passed to everyone would be left out where it matters.
std::atomic<Level> lowest{Level::info};
std::mutex mutex;
int descriptor = STDERR_FILENO;

// One event is one line, whatever its text holds.
void append_escaped(std::string& line, std::string_view text) {
  for (const char character : text) {
    if (character == '\n') {
      line += "\\n";
    } else if (static_cast<unsigned char>(character) < 0x20 && character != '\t') {
      line += '?';
    } else {
      line += character;
    }
  }
}

}  // namespace

void set_level(Level level) { lowest = level; }

void set_file(std::string_view path) {
  int opened = STDERR_FILENO;
  if (!path.empty()) {
    opened = ::open(std::string(path).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (opened < 0) throw_errno("open " + std::string(path));
  }
  const std::lock_guard lock(mutex);
  if (descriptor != STDERR_FILENO) ::close(descriptor);
  descriptor = opened;
}

void write(Level level, std::string_view component, std::string_view text) {
  if (level < lowest) return;
  static constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
  std::string line = iso8601(SystemClock().now(), true);
  line.append(" ").append(kNames[static_cast<std::size_t>(level)]).append(" ").append(component).append(": ");
  append_escaped(line, text);
  line += '\n';
  const std::lock_guard lock(mutex);
  // One write call for each line; a log that cannot be written must not stop the daemon.
  [[maybe_unused]] const ssize_t written = ::write(descriptor, line.data(), line.size());
}

}  // namespace brume::log
