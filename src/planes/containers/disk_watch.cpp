#include "planes/containers/disk_watch.h"

#include <fts.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/log.h"

namespace brume::containers {
namespace {

using std::chrono::steady_clock;

// "Nearly full": what is left is for the store and for the other tasks.
constexpr std::uint64_t kMostReserve = std::uint64_t{1} << 30U, kReserveParts = 20;
// A sandbox cannot have written more than the file system has lost since it was measured. Others may have deleted as
// much meanwhile, so it is measured anew now and then whatever is free.
constexpr std::uint64_t kNoticeableParts = 64;
constexpr auto kStaleAfter = std::chrono::seconds(60);
// A tree of many files is measured so rarely that it takes a twentieth of a processor at most.
constexpr int kPause = 20;
constexpr std::uint64_t kBlock = 512;  // of st_blocks, whatever the file system's own are

FileSystemSpace space_of(const std::string& path) {
  struct statvfs status{};
  if (::statvfs(path.c_str(), &status) != 0) return {};
  return {status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
}

std::uint64_t reserve_of(const FileSystemSpace& space) {
  return std::min(space.size_bytes / kReserveParts, kMostReserve);
}

}  // namespace

std::vector<std::string> choose_overfull(const std::vector<DiskShare>& shares, const FileSystemSpace& space) {
  std::vector<std::string> chosen;
  for (const DiskShare& share : shares)
    if (share.limit_bytes != 0 && share.used_bytes > share.limit_bytes) chosen.push_back(share.sandbox);
  const std::uint64_t reserve = reserve_of(space);
  // What those have that go anyway is soon free.
  if (!chosen.empty() || space.free_bytes >= reserve) return chosen;
  const auto most = std::ranges::max_element(shares, {}, &DiskShare::used_bytes);
  if (most != shares.end() && most->used_bytes > reserve) chosen.push_back(most->sandbox);
  return chosen;
}

std::uint64_t bytes_below(const std::string& directory, const std::function<bool()>& stopped) {
  std::string path = directory;
  char* const roots[] = {path.data(), nullptr};
  FTS* const tree = ::fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, nullptr);
  if (tree == nullptr) return 0;
  std::uint64_t bytes = 0;
  std::set<ino_t> seen;
  while (const FTSENT* entry = ::fts_read(tree)) {
    if (stopped()) break;
    // A directory comes twice; of what cannot be looked at there are no figures.
    if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS || entry->fts_info == FTS_NSOK) continue;
    const struct stat& status = *entry->fts_statp;
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1 && !seen.insert(status.st_ino).second) continue;
    bytes += static_cast<std::uint64_t>(status.st_blocks) * kBlock;
  }
  ::fts_close(tree);
  return bytes;
}

DiskWatch::DiskWatch(std::string root, std::chrono::milliseconds interval,
                     std::function<void(const std::string&)> overfull)
    : root_(std::move(root)), interval_(interval), overfull_(std::move(overfull)) {}

DiskWatch::~DiskWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DiskWatch::watch(const std::string& sandbox, const std::string& directory, std::uint64_t limit_bytes) {
  {
    const std::lock_guard lock(mutex_);
    Watched& watched = watched_[sandbox];
    watched.directory = directory;
    watched.limit_bytes = limit_bytes;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  wake_.notify_one();
}

void DiskWatch::forget(const std::string& sandbox) {
  const std::lock_guard lock(mutex_);
  watched_.erase(sandbox);
}

std::uint64_t DiskWatch::used_bytes(const std::string& sandbox) const {
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(sandbox);
  return found == watched_.end() ? 0 : found->second.used_bytes;
}

bool DiskWatch::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void DiskWatch::run() {
  ::pthread_setname_np(::pthread_self(), "disk watch");
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);  // what it measures is not urgent: requests are
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (watched_.empty()) {
      wake_.wait(lock, [this] { return stopping_ || !watched_.empty(); });
      continue;
    }
    lock.unlock();
    look();
    lock.lock();
    wake_.wait_for(lock, interval_, [this] { return stopping_; });
  }
}

void DiskWatch::look() {
  const FileSystemSpace space = space_of(root_);
  std::vector<std::pair<std::string, std::string>> due;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [sandbox, watched] : watched_)
      if (is_due(watched, space)) due.emplace_back(sandbox, watched.directory);
  }
  for (const auto& [sandbox, directory] : due) measure(sandbox, directory, space);
  std::vector<DiskShare> shares;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    for (const auto& [sandbox, watched] : watched_)
      shares.push_back({sandbox, watched.used_bytes, watched.limit_bytes});
  }
  for (const std::string& sandbox : choose_overfull(shares, space)) overfull_(sandbox);
}

bool DiskWatch::is_due(const Watched& watched, const FileSystemSpace& space) const {
  const auto now = steady_clock::now();
  if (!watched.is_measured) return true;
  if (now < watched.due) return false;
  const std::uint64_t lost = watched.free_bytes > space.free_bytes ? watched.free_bytes - space.free_bytes : 0;
  return now >= watched.stale || lost > watched.limit_bytes / kNoticeableParts ||
         (lost > 0 && space.free_bytes < reserve_of(space));
}

void DiskWatch::measure(const std::string& sandbox, const std::string& directory, const FileSystemSpace& space) {
  const auto begun = steady_clock::now();
  const std::uint64_t used = bytes_below(directory, [this] { return is_stopping(); });
  const auto ended = steady_clock::now();
  const std::lock_guard lock(mutex_);
  const auto found = watched_.find(sandbox);
  if (found == watched_.end()) return;
  Watched& watched = found->second;
  if (!watched.is_measured && watched.limit_bytes > space.free_bytes)
    log::info("containers", "sandbox " + sandbox + " may write " + std::to_string(watched.limit_bytes >> 20U) +
                                " MiB, the disk has " + std::to_string(space.free_bytes >> 20U) + " MiB free");
  watched.used_bytes = used;
  watched.free_bytes = space.free_bytes;
  watched.due = ended + (ended - begun) * kPause;
  watched.stale = ended + kStaleAfter;
  watched.is_measured = true;
}

}  // namespace brume::containers
