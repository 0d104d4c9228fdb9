// Unpacked layers on disk: one directory per digest, made once, complete when it has its name. And what files the
// layers of an image hold together. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "planes/containers/unpack.h"

namespace brume::containers {

class Layers {
 public:
  // Leftovers of an earlier run's unpacking are removed. `synced`: a layer that has its name is on the disk.
  explicit Layers(std::string directory, UnpackLimits limits = {}, bool synced = false);
  std::string path(const std::string& digest) const;
  bool has(const std::string& digest) const;
  // Unpacks the blob, unless that is done already; waits when another thread is at it. Throws PlaneError{permanent}
  // naming the layer and the member at fault.
  void ensure(const std::string& digest, const std::string& blob);
  std::vector<std::string> all() const;  // digests
  // Takes the layer out of the store and returns the path of what is to be deleted, which may take long.
  std::string take_away(const std::string& digest) const;

 private:
  void unpack(const std::string& digest, const std::string& blob) const;

  std::string directory_;
  UnpackLimits limits_;
  const bool synced_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::set<std::string> unpacking_;
};

// The content of a regular file of the merged layers (lowest first), as overlayfs would show it; nothing when there is
// none, when it is hidden by a whiteout, or when it is larger than `limit`. Links are followed inside one layer only.
std::optional<std::string> read_from_layers(const std::vector<std::string>& directories, const std::string& path,
                                            std::uint64_t limit = 8ULL << 20U);

}  // namespace brume::containers
