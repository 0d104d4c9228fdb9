// A request's or an answer's body that streams: in memory when small, else in a file. Digests of what was received are
// computed while it arrives, so that nobody reads it twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace brume {

// A file that is unlinked when its last owner goes, unless it was kept. Shared between the request and the answer's
// sender.
class SpoolFile {
 public:
  explicit SpoolFile(std::string path, bool kept = false) : path_(std::move(path)), kept_(kept) {}
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile();  // unlinks unless kept
  const std::string& path() const { return path_; }
  // Renames to `destination` (same file system) and no longer unlinks. Throws PlaneError.
  void keep_as(const std::string& destination);
  // A kept file goes with its last owner after all: an object deleted while it is being sent. Thread-safe.
  void discard() { kept_ = false; }

 private:
  std::string path_;
  std::atomic<bool> kept_;
};

struct Body {
  std::string bytes;  // the body itself when there is no file
  // A received body over the memory limit (64 KiB); of an answer, what must not go before it was sent.
  std::shared_ptr<SpoolFile> spool;
  std::string file;  // an answer's body: this file from `offset`, `size` bytes
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  // Raw digests (not hex) of a received body: always sha256, and for S3 md5 and the checksum that the request named.
  std::string md5, sha256, crc32, crc32c, sha1, crc64nvme;

  static Body of(std::string text) {
    Body body;
    body.size = text.size();
    body.bytes = std::move(text);
    return body;
  }
  bool operator==(const Body& other) const {
    return bytes == other.bytes && spool == other.spool && file == other.file && size == other.size;
  }
};

}  // namespace brume
