#include "planes/containers/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "core/digest.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/text.h"
#include "planes/containers/layer_writer.h"

namespace brume::containers {
namespace {

using keeper::Descriptor;

[[noreturn]] void refuse(const std::string& what) { throw PlaneError(PlaneError::Kind::permanent, what); }

// The layer's file as libarchive reads it, hashed on the way.
struct Source {
  Descriptor file;
  Digest digest{DigestKind::sha256};
  std::vector<char> buffer = std::vector<char>(1 << 18);
  std::uint64_t bytes = 0;

  ssize_t read() {
    ssize_t got = 0;
    do {
      got = ::read(file.get(), buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
      digest.update({buffer.data(), static_cast<std::size_t>(got)});
      bytes += static_cast<std::uint64_t>(got);
    }
    return got;
  }
};

la_ssize_t read_source(archive* reader, void* context, const void** bytes) {
  auto* source = static_cast<Source*>(context);
  const ssize_t got = source->read();
  if (got < 0) archive_set_error(reader, errno, "read: %s", std::strerror(errno));
  *bytes = source->buffer.data();
  return got;
}

struct Free {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

class Unpacking {
 public:
  Unpacking(const std::string& file, const std::string& directory, const UnpackLimits& limits)
      : limits_(limits), writer_(directory) {
    source_.file.reset(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source_.file) throw_errno(file);
    archive_read_support_filter_gzip(reader_.get());
    archive_read_support_filter_zstd(reader_.get());
    archive_read_support_format_tar(reader_.get());
    archive_read_support_format_empty(reader_.get());
    // Names are bytes; without this those that are not ASCII are lost in the C locale.
    archive_read_set_options(reader_.get(), "hdrcharset=BINARY");
  }

  std::string run() {
    if (archive_read_open(reader_.get(), &source_, nullptr, read_source, nullptr) != ARCHIVE_OK) failed("");
    archive_entry* entry = nullptr;
    while (true) {
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      if (result < ARCHIVE_WARN) failed("");
      if (++members_ > limits_.members) refuse("more than " + std::to_string(limits_.members) + " members");
      const char* name = archive_entry_pathname(entry);
      if (name == nullptr) refuse("a member without a name");
      take(entry, name);
    }
    writer_.finish();
    while (source_.read() > 0) {  // what follows the archive's end belongs to the digest too
    }
    return "sha256:" + to_hex(source_.digest.finish());
  }

 private:
  [[noreturn]] void failed(const std::string& member) {
    const char* text = archive_error_string(reader_.get());
    refuse((member.empty() ? "" : "the member " + member + ": ") + (text == nullptr ? "not a tar file" : text));
  }

  void take(archive_entry* entry, const std::string& name) {
    const Path path = member_path(name);
    try {
      if (!path.empty() && path.back().starts_with(".wh.")) return take_whiteout(path);
      if (const char* target = archive_entry_hardlink(entry)) return writer_.make_hard_link(path, member_path(target));
      take_by_type(entry, path, name);
    } catch (const PlaneError& error) {
      refuse("the member " + name + ": " + error.message);
    }
  }

  void take_by_type(archive_entry* entry, const Path& path, const std::string& name) {
    const Attributes attributes = attributes_of(entry);
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return writer_.make_directory(path, attributes);
      case AE_IFREG:
        return take_file(entry, path, attributes, name);
      case AE_IFLNK: {
        const char* target = archive_entry_symlink(entry);
        if (target == nullptr || *target == '\0') refuse("a symbolic link to nothing");
        return writer_.make_symlink(path, target, attributes);
      }
      case AE_IFIFO:
        return writer_.make_fifo(path, attributes);
      case AE_IFSOCK:
        return;
      case AE_IFCHR:
      case AE_IFBLK:
        if (path.empty() || path.front() != "dev") refuse("a device outside dev/");
        return;
      default:
        refuse("of an unknown type");
    }
  }

  // The image specification's "Whiteouts": .wh.NAME hides NAME of lower layers, .wh..wh..opq hides all of theirs in its
  // directory. Other names that start with .wh..wh. are AUFS's own and mean nothing here.
  void take_whiteout(const Path& path) {
    const Path parent(path.begin(), path.end() - 1);
    const std::string hidden = path.back().substr(4);
    if (hidden == ".wh..opq") return writer_.make_opaque(parent);
    if (hidden.starts_with(".wh.")) return;
    if (hidden.empty() || hidden == "." || hidden == "..") refuse("a whiteout of nothing");
    Path target = parent;
    target.push_back(hidden);
    writer_.make_whiteout(target);
  }

  void take_file(archive_entry* entry, const Path& path, const Attributes& attributes, const std::string& name) {
    const Descriptor file = writer_.make_file(path);
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    while (true) {
      const int result = archive_read_data_block(reader_.get(), &bytes, &size, &offset);
      if (result == ARCHIVE_EOF) break;
      if (result < ARCHIVE_WARN) failed(name);
      count(size);
      write_all(file, bytes, size, offset);
    }
    if (archive_entry_sparse_count(entry) > 0 && ::ftruncate(file.get(), archive_entry_size(entry)) != 0) {
      throw_errno("ftruncate");
    }
    writer_.finish_file(file, attributes);
    fault_point("images.unpack.file");
  }

  void count(std::size_t size) {
    written_ += size;
    if (written_ > limits_.bytes) refuse("content over " + std::to_string(limits_.bytes) + " bytes");
    if (written_ > limits_.ratio_bytes && written_ / limits_.ratio > source_.bytes) {
      refuse("content over " + std::to_string(limits_.ratio) + " times the layer's size");
    }
  }

  static void write_all(const Descriptor& file, const void* bytes, std::size_t size, la_int64_t offset) {
    const char* at = static_cast<const char*>(bytes);
    while (size > 0) {
      const ssize_t written = ::pwrite(file.get(), at, size, offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno("write");
      at += written;
      offset += written;
      size -= static_cast<std::size_t>(written);
    }
  }

  static Attributes attributes_of(archive_entry* entry) {
    Attributes attributes;
    attributes.mode = archive_entry_perm(entry);
    attributes.uid = static_cast<uid_t>(archive_entry_uid(entry));
    attributes.gid = static_cast<gid_t>(archive_entry_gid(entry));
    attributes.modified = {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    archive_entry_xattr_reset(entry);
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      attributes.extended.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
    return attributes;
  }

  const UnpackLimits limits_;
  Source source_;
  std::unique_ptr<archive, Free> reader_{archive_read_new()};
  LayerWriter writer_;
  std::uint64_t members_ = 0, written_ = 0;
};

}  // namespace

std::string unpack_layer(const std::string& file, const std::string& directory, const UnpackLimits& limits) {
  return Unpacking(file, directory, limits).run();
}

}  // namespace brume::containers
