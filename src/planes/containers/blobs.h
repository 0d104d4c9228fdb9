// Blobs on disk: one file per digest under STATE/images/blobs/sha256. A blob that is there is whole and was verified:
// it is written beside its place and renamed into it. With `synced` it is on the disk when that is said. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file_body.h"

namespace brume::containers {

class Blobs {
 public:
  explicit Blobs(std::string directory, bool synced = false);  // made when absent; leftovers of an earlier run go

  bool has(const std::string& digest) const;
  std::optional<std::uint64_t> size(const std::string& digest) const;
  std::string path(const std::string& digest) const;
  std::optional<std::string> read(const std::string& digest) const;
  bool put(const std::string& digest, const Body& body);
  std::string put_text(const std::string& text);
  void remove(const std::string& digest) const;
  std::vector<std::string> all() const;  // digests
  // Takes the blob out of the store and returns the path of what is to be deleted, which may take long.
  std::string take_away(const std::string& digest) const;

  // A new empty file's path beside the blobs, for content that arrives in pieces.
  std::string temporary_path();
  // Takes over a file (by rename) whose content has been found to be of this digest.
  void adopt(const std::string& digest, const std::string& file) const;

 private:
  std::string directory_;
  const bool synced_;
};

// The digest of a file's content, "sha256:…". Throws PlaneError.
std::string digest_of_file(const std::string& path);
void write_file(const std::string& path, std::string_view text);  // whole, by rename; throws PlaneError
std::optional<std::string> read_file(const std::string& path, std::uint64_t limit = 64ULL << 20U);

}  // namespace brume::containers
