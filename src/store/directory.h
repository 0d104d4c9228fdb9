// The directory that a store lives in: made owner-only, locked against a second process, with some disk space held back
// so that a full disk can still be recovered from. Owned by the store.
#pragma once

#include <cstdint>
#include <string>

namespace brume {

// Holds an exclusive flock on `directory`/lock for its lifetime. Throws StoreError naming the process that holds it.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory);
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  int descriptor_ = -1;
};

// A file of 16 MiB that is given up when the disk is full, so that the store can write what it holds in memory.
class SpaceReserve {
 public:
  static constexpr std::uint64_t kSizeBytes = 16ULL << 20;
  explicit SpaceReserve(const std::string& directory) : directory_(directory) {}
  static constexpr std::uint64_t kMarginBytes = 16ULL << 20;
  // Less is left than a write, and what is written out because of it, may take; the reserve apart.
  bool is_nearly_full() const;
  // Room for it, with as much again left over.
  bool has_room() const;
  // False when there is no room.
  bool take();
  void release();

 private:
  std::string path() const { return directory_ + "/reserve"; }
  std::string directory_;
};

// Makes `directory` and its parents, the last one readable by its owner only. Throws StoreError.
void make_owner_only_directory(const std::string& directory);

}  // namespace brume
