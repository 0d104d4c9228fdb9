// How much of the disk each sandbox's containers have written, and which of them have written more than they may. A
// thread of its own measures, by the machine's time, and only while there is a sandbox to measure; owned by the
// containers plane, any thread may ask.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace brume::containers {

struct DiskShare {
  std::string sandbox;
  std::uint64_t used_bytes = 0, limit_bytes = 0;
};

struct FileSystemSpace {
  std::uint64_t size_bytes = 0, free_bytes = 0;
};

// Who must end: all that are over their limits. When the file system is nearly full all the same, because together
// they may write more than it has, the one that has written most, unless that is so little that it is not to blame.
std::vector<std::string> choose_overfull(const std::vector<DiskShare>& shares, const FileSystemSpace& space);

// Bytes on disk of all that is below a directory and on its file system; a file with several names counts once. What
// cannot be read, because it goes meanwhile, counts nothing. Stops early when `stopped` says so.
std::uint64_t bytes_below(const std::string& directory, const std::function<bool()>& stopped);

class DiskWatch {
 public:
  // `root`: a path on the file system of all the directories. `overfull` is called on the watch's thread, at each look
  // anew for as long as it is so.
  DiskWatch(std::string root, std::chrono::milliseconds interval, std::function<void(const std::string&)> overfull);
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;
  ~DiskWatch();

  void watch(const std::string& sandbox, const std::string& directory, std::uint64_t limit_bytes);
  void forget(const std::string& sandbox);
  // As of the last look; 0 before the first.
  std::uint64_t used_bytes(const std::string& sandbox) const;

 private:
  struct Watched {
    std::string directory;
    std::uint64_t limit_bytes = 0, used_bytes = 0;
    std::uint64_t free_bytes = 0;  // of the file system, when it was measured
    std::chrono::steady_clock::time_point due, stale;
    bool is_measured = false;
  };
  void run();
  void look();
  bool is_due(const Watched& watched, const FileSystemSpace& space) const;
  void measure(const std::string& sandbox, const std::string& directory, const FileSystemSpace& space);
  bool is_stopping() const;

  const std::string root_;
  const std::chrono::milliseconds interval_;
  const std::function<void(const std::string&)> overfull_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, Watched> watched_;  // guarded by mutex_, as is stopping_
  bool stopping_ = false;
  std::thread thread_;  // started with the first sandbox
};

}  // namespace brume::containers
