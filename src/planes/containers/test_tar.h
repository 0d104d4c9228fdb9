// For tests: tar files with whatever members a test wants, good and hostile.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace brume::testing {

struct TarMember {
  std::string name;
  std::string content;
  mode_t type = S_IFREG;
  mode_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string link;       // of a symbolic link
  std::string hard_link;  // makes it a hard link
  std::vector<std::pair<std::string, std::string>> attributes;
  std::int64_t modified = 1'700'000'000;
};

inline TarMember tar_directory(std::string name, mode_t mode = 0755) {
  TarMember member;
  member.name = std::move(name);
  member.type = S_IFDIR;
  member.mode = mode;
  return member;
}
inline TarMember tar_file(std::string name, std::string content, mode_t mode = 0644) {
  TarMember member;
  member.name = std::move(name);
  member.content = std::move(content);
  member.mode = mode;
  return member;
}
inline TarMember tar_link(std::string name, std::string target) {
  TarMember member;
  member.name = std::move(name);
  member.type = S_IFLNK;
  member.link = std::move(target);
  return member;
}
inline TarMember tar_hard_link(std::string name, std::string target) {
  TarMember member;
  member.name = std::move(name);
  member.hard_link = std::move(target);
  return member;
}

enum class TarFilter { none, gzip, zstd };

inline void write_tar(const std::string& path, const std::vector<TarMember>& members,
                      TarFilter filter = TarFilter::none) {
  archive* writer = archive_write_new();
  archive_write_set_format_pax(writer);
  if (filter == TarFilter::gzip) archive_write_add_filter_gzip(writer);
  if (filter == TarFilter::zstd) archive_write_add_filter_zstd(writer);
  archive_write_set_options(writer, "hdrcharset=BINARY");
  if (archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK) throw std::runtime_error(path);
  for (const TarMember& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, member.mode);
    archive_entry_set_uid(entry, member.uid);
    archive_entry_set_gid(entry, member.gid);
    archive_entry_set_mtime(entry, member.modified, 0);
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    if (!member.link.empty()) archive_entry_set_symlink(entry, member.link.c_str());
    if (!member.hard_link.empty()) archive_entry_set_hardlink(entry, member.hard_link.c_str());
    if (member.type == S_IFCHR) archive_entry_set_rdev(entry, makedev(1, 3));
    for (const auto& [name, value] : member.attributes) {
      archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    }
    if (archive_write_header(writer, entry) < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(writer));
    archive_write_data(writer, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

}  // namespace brume::testing
