#include "services/s3/body_jobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/fault.h"
#include "core/log.h"
#include "store/store.h"

namespace brume::s3 {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) throw_errno("open " + path);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(descriptor_); }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) throw_errno("mkdir " + path);
}

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno("write a body");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Calls `consume` with the piece's bytes, a buffer at a time.
template <class Consume>
void read_piece(const Piece& piece, const Consume& consume) {
  if (piece.path.empty()) return consume(std::string_view(piece.bytes));
  const File file(piece.path, O_RDONLY);
  std::string buffer(kBufferBytes, '\0');
  std::uint64_t done = 0;
  while (done < piece.size) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBufferBytes, piece.size - done));
    const ssize_t size = ::pread(file.descriptor(), buffer.data(), wanted, static_cast<off_t>(piece.offset + done));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw_errno("read a body");
    if (size == 0)
      throw PlaneError(PlaneError::Kind::permanent, "a body file is shorter than its record: " + piece.path);
    consume(std::string_view(buffer).substr(0, static_cast<std::size_t>(size)));
    done += static_cast<std::uint64_t>(size);
  }
}

// Within the kernel where the file system can, by reading and writing elsewhere.
void copy_piece(const Piece& piece, int target) {
  if (piece.path.empty()) return write_all(target, piece.bytes);
  const File source(piece.path, O_RDONLY);
  auto offset = static_cast<off_t>(piece.offset);
  std::uint64_t done = 0;
  while (done < piece.size) {
    const ssize_t copied = ::copy_file_range(source.descriptor(), &offset, target, nullptr,
                                             static_cast<std::size_t>(piece.size - done), 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) break;
    done += static_cast<std::uint64_t>(copied);
  }
  if (done == piece.size) return;
  read_piece({.path = piece.path, .offset = piece.offset + done, .size = piece.size - done},
             [&](std::string_view bytes) { write_all(target, bytes); });
}

void sync_file(const std::string& path) {
  const File file(path, O_RDONLY);
  if (::fsync(file.descriptor()) != 0) throw_errno("sync " + path);
}

bool whole_file(const Piece& piece) {
  struct stat status{};
  return !piece.path.empty() && piece.offset == 0 && ::stat(piece.path.c_str(), &status) == 0 &&
         static_cast<std::uint64_t>(status.st_size) == piece.size;
}

void make_target(const BodyJob& job) {
  make_folder(folder_of(folder_of(job.target)));
  make_folder(folder_of(job.target));
  if (!job.pieces.empty()) {
    // Bodies never change, so a copy of a whole one is a second name of its file, where the file system has names left.
    if (job.pieces.size() == 1 && whole_file(job.pieces.front()) &&
        ::link(job.pieces.front().path.c_str(), job.target.c_str()) == 0) {
      return;
    }
    const File target(job.target, O_WRONLY | O_CREAT | O_EXCL);
    for (const Piece& piece : job.pieces) copy_piece(piece, target.descriptor());
  } else if (job.body.spool) {
    job.body.spool->keep_as(job.target);
  } else {
    const File target(job.target, O_WRONLY | O_CREAT | O_EXCL);
    write_all(target.descriptor(), job.body.bytes);
  }
}

void digest(const BodyJob& job, BodyResult& result) {
  if (job.digests.empty()) return;
  std::vector<std::pair<DigestKind, Digest>> digests;
  for (const DigestKind kind : job.digests) digests.emplace_back(kind, Digest(kind));
  const auto consume = [&](std::string_view bytes) {
    for (auto& [kind, state] : digests) state.update(bytes);
  };
  if (job.pieces.empty() && !job.body.spool) {
    consume(job.body.bytes);
  } else if (job.pieces.empty()) {
    read_piece({.path = job.target, .size = job.body.size}, consume);
  } else {
    for (const Piece& piece : job.pieces) read_piece(piece, consume);
  }
  for (auto& [kind, state] : digests) result.digests.emplace(kind, state.finish());
}

}  // namespace

BodyResult run_body_job(const BodyJob& job) {
  BodyResult result;
  try {
    if (!job.target.empty()) {
      make_target(job);
      fault_point("s3.body.kept");
      if (job.sync) {
        sync_file(job.target);
        sync_file(folder_of(job.target));
        sync_file(folder_of(folder_of(job.target)));
      }
    }
    digest(job, result);
  } catch (const PlaneError& error) {
    result.problem = internal_error(error);
  }
  return result;
}

// 507, as nothing else says that the disk is full: AWS's SDKs repeat 500 and 503 for a long time.
AwsError internal_error(const std::exception& error) {
  const std::string text = error.what();
  log::error("s3", text);
  const bool full =
      dynamic_cast<const StoreFull*>(&error) != nullptr || text.find("No space left") != std::string::npos;
  if (full) return AwsError("InsufficientStorage", "The disk of Brume's state directory is full.", 507);
  return AwsError("InternalError", "We encountered an internal error. Please try again.", 500);
}

}  // namespace brume::s3
