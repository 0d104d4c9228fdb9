#include "planes/containers/blobs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <vector>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "planes/containers/manifest.h"

namespace brume::containers {
namespace {

std::string digest_text(const std::string& raw) { return "sha256:" + to_hex(raw); }

void sync_path(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!synced) throw_errno("sync " + path);
}

}  // namespace

Blobs::Blobs(std::string directory, bool synced) : directory_(std::move(directory)), synced_(synced) {
  std::filesystem::create_directories(directory_ + "/sha256");
  std::filesystem::remove_all(directory_ + "/partial");
  std::filesystem::create_directories(directory_ + "/partial");
}

std::string Blobs::path(const std::string& digest) const { return directory_ + "/sha256/" + digest_hex(digest); }

bool Blobs::has(const std::string& digest) const { return size(digest).has_value(); }

std::optional<std::uint64_t> Blobs::size(const std::string& digest) const {
  if (!is_digest(digest)) return std::nullopt;
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path(digest), error);
  if (error) return std::nullopt;
  return bytes;
}

std::optional<std::string> Blobs::read(const std::string& digest) const {
  if (!is_digest(digest)) return std::nullopt;
  return read_file(path(digest));
}

std::string Blobs::temporary_path() {
  std::string name = directory_ + "/partial/XXXXXX";
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) throw_errno(name);
  ::close(file);
  return name;
}

void Blobs::adopt(const std::string& digest, const std::string& file) const {
  if (synced_) sync_path(file);  // a name without its content would pass for the whole after a power cut
  if (std::rename(file.c_str(), path(digest).c_str()) != 0) throw_errno("rename to " + path(digest));
  if (synced_) sync_path(directory_ + "/sha256");
}

bool Blobs::put(const std::string& digest, const Body& body) {
  if (!is_digest(digest)) return false;
  const std::string file = body.spool != nullptr ? body.spool->path() : body.file;
  if (file.empty()) {
    if (digest_text(sha256(body.bytes)) != digest) return false;
    put_text(body.bytes);
    return true;
  }
  // The digest was computed while the body arrived; a file of unknown content is read.
  if ((body.sha256.empty() ? digest_of_file(file) : digest_text(body.sha256)) != digest) return false;
  if (body.spool != nullptr) {
    if (synced_) sync_path(file);
    try {
      body.spool->keep_as(path(digest));
      if (synced_) sync_path(directory_ + "/sha256");
      return true;
    } catch (const PlaneError&) {
      // The spool is on another file system.
    }
  }
  const std::string copy = temporary_path();
  std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
  adopt(digest, copy);
  return true;
}

std::string Blobs::put_text(const std::string& text) {
  std::string digest = digest_text(sha256(text));
  if (has(digest)) return digest;
  const std::string file = temporary_path();
  try {
    write_file(file, text);
    adopt(digest, file);
  } catch (...) {
    ::unlink((file + ".new").c_str());
    ::unlink(file.c_str());
    throw;
  }
  return digest;
}

void Blobs::remove(const std::string& digest) const {
  if (is_digest(digest)) ::unlink(path(digest).c_str());
}

std::vector<std::string> Blobs::all() const {
  std::vector<std::string> digests;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory_ + "/sha256", error), end; !error && it != end;
       it.increment(error)) {
    digests.push_back("sha256:" + it->path().filename().string());
  }
  return digests;
}

std::string Blobs::take_away(const std::string& digest) const {
  std::string gone = directory_ + "/partial/gone-" + digest_hex(digest);
  std::rename(path(digest).c_str(), gone.c_str());
  return gone;
}

std::string digest_of_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw_errno(path);
  Digest digest(DigestKind::sha256);
  std::vector<char> buffer(1 << 18);  // not of the thread: every thread of the process would be given one
  ssize_t got = 0;
  while ((got = ::read(file, buffer.data(), buffer.size())) > 0) {
    digest.update({buffer.data(), static_cast<std::size_t>(got)});
  }
  ::close(file);
  if (got < 0) throw_errno(path);
  return digest_text(digest.finish());
}

void write_file(const std::string& path, std::string_view text) {
  const std::string unready = path + ".new";
  std::ofstream file(unready, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file || std::rename(unready.c_str(), path.c_str()) != 0) throw_errno(path);
}

std::optional<std::string> read_file(const std::string& path, std::uint64_t limit) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error || size > limit) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  file.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace brume::containers
