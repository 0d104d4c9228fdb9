#include "core/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace brume::fault_detail {
namespace {

struct Plan {
  enum class Kind { kill, hold, trace } kind = Kind::kill;
  std::size_t point = kFaultPoints.size();
  std::int64_t hit = 1;
  std::string file;
};

// A mistyped order is a test that tests nothing: it ends the program.
Plan read_plan() {
  const char* text = std::getenv("BRUME_FAULT");
  if (text == nullptr) return {};
  std::vector<std::string_view> words = split(text, ' ');
  Plan plan;
  if (words.size() == 2 && words[0] == "trace") {
    plan.kind = Plan::Kind::trace;
    plan.file = words[1];
    return plan;
  }
  BRUME_CHECK(words.size() == 3);
  if (words[0] == "hold") {
    plan.kind = Plan::Kind::hold;
    std::swap(words[0], words[1]);
  } else {
    BRUME_CHECK(parse_int(words[1], plan.hit));
  }
  const auto* const found = std::ranges::find(kFaultPoints, words[0]);
  BRUME_CHECK(found != kFaultPoints.end());
  plan.point = static_cast<std::size_t>(found - kFaultPoints.begin());
  plan.file = words[2];
  return plan;
}

const Plan& plan() {
  static const Plan read = read_plan();
  return read;
}

std::atomic<std::int64_t> hits = 0;

// One write, so that the lines of several processes and threads do not mix. True when the file could be opened so.
bool put(const std::string& path, int flags, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (file < 0) return false;
  [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
  ::close(file);
  return true;
}

}  // namespace

const bool armed = std::getenv("BRUME_FAULT") != nullptr;

void reached(std::size_t index) {
  const std::string& file = plan().file;
  if (plan().kind == Plan::Kind::trace) {
    put(file, O_APPEND, std::string(kFaultPoints[index]) + "\n");
    return;
  }
  if (index != plan().point) return;
  if (plan().kind == Plan::Kind::hold) {
    while (::access(file.c_str(), F_OK) == 0) {
      put(file + ".reached", 0, "");
      ::usleep(1000);
    }
    return;
  }
  if (++hits != plan().hit || !put(file, O_EXCL, std::to_string(::getpid()) + "\n")) return;
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

}  // namespace brume::fault_detail
