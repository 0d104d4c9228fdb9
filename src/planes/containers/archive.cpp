#include "planes/containers/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "core/digest.h"
#include "core/error.h"
#include "core/text.h"
#include "planes/containers/manifest.h"
#include "planes/containers/reference.h"
#include "planes/keeper/process.h"

namespace brume::containers {
namespace {

constexpr std::size_t kMemberLimit = 100'000;

[[noreturn]] void refuse(const std::string& what) { throw PlaneError(PlaneError::Kind::permanent, what); }

struct Member {
  std::string file;  // its content, beside the blobs
  std::string digest;
  std::uint64_t size = 0;
  bool gzip = false;
};

// An archive's members, unpacked beside the blobs under names of our own; removed again unless taken over.
class Members {
 public:
  explicit Members(Blobs& blobs) : blobs_(blobs) {}
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() {
    for (const auto& [name, member] : members_) ::unlink(member.file.c_str());
  }

  void read(const std::string& archive_file);

  const Member* find(std::string name) const {
    // docker save links layers that images share.
    for (int depth = 0; links_.contains(name) && depth < 10; ++depth) name = links_.at(name);
    const auto found = members_.find(name);
    return found == members_.end() ? nullptr : &found->second;
  }
  const Member& get(const std::string& name) const {
    const Member* member = find(name);
    if (member == nullptr) refuse("the archive has no " + name);
    return *member;
  }
  std::string text(const std::string& name) const {
    auto text = read_file(get(name).file);
    if (!text) refuse(name + " is too large");
    return *text;
  }
  Descriptor take(const std::string& name, const std::string& media_type) const {
    const Member& member = get(name);
    if (!blobs_.has(member.digest)) blobs_.adopt(member.digest, member.file);
    return {media_type, member.digest, member.size};
  }
  const std::map<std::string, Member>& all() const { return members_; }

 private:
  Member read_member(archive* reader);

  Blobs& blobs_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> links_;
};

std::string plain_name(const std::string& name) {
  return std::filesystem::path(name).lexically_normal().relative_path().string();
}

void Members::read(const std::string& archive_file) {
  struct Free {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };
  const std::unique_ptr<archive, Free> reader(archive_read_new());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_format_tar(reader.get());
  archive_read_set_options(reader.get(), "hdrcharset=BINARY");
  const auto failed = [&] { refuse(archive_file + ": " + archive_error_string(reader.get())); };
  if (archive_read_open_filename(reader.get(), archive_file.c_str(), 1 << 18) != ARCHIVE_OK) failed();
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(reader.get(), &entry)) != ARCHIVE_EOF) {
    if (result < ARCHIVE_WARN) failed();
    if (members_.size() > kMemberLimit)
      refuse(archive_file + ": more than " + std::to_string(kMemberLimit) + " members");
    const std::string name = plain_name(archive_entry_pathname(entry));
    if (const char* hard = archive_entry_hardlink(entry)) {
      links_[name] = plain_name(hard);
    } else if (archive_entry_filetype(entry) == AE_IFLNK) {
      links_[name] = plain_name((std::filesystem::path(name).parent_path() / archive_entry_symlink(entry)).string());
    } else if (archive_entry_filetype(entry) == AE_IFREG) {
      members_[name] = read_member(reader.get());
    }
  }
}

Member Members::read_member(archive* reader) {
  Member member;
  member.file = blobs_.temporary_path();
  const keeper::Descriptor file(::open(member.file.c_str(), O_WRONLY | O_CLOEXEC));
  Digest digest(DigestKind::sha256);
  std::vector<char> buffer(1 << 18);
  la_ssize_t got = 0;
  while ((got = archive_read_data(reader, buffer.data(), buffer.size())) > 0) {
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (member.size == 0) member.gzip = bytes.starts_with("\x1f\x8b");
    digest.update(bytes);
    if (::write(file.get(), bytes.data(), bytes.size()) != got) throw_errno(member.file);
    member.size += bytes.size();
  }
  if (got < 0) refuse(archive_error_string(reader));
  member.digest = "sha256:" + to_hex(digest.finish());
  return member;
}

// The layout that the image specification describes: index.json, and blobs named by their digests.
std::string import_layout(Blobs& blobs, const Members& members, const std::string& name) {
  constexpr std::string_view kPrefix = "blobs/sha256/";
  for (const auto& [path, member] : members.all()) {
    if (!path.starts_with(kPrefix)) continue;
    if (member.digest != "sha256:" + path.substr(kPrefix.size())) {
      refuse(path + " does not match its digest: its content has " + member.digest);
    }
  }
  const std::string digest = resolve_named(members.text("index.json"), name);
  for (const auto& [path, member] : members.all()) {
    if (path.starts_with(kPrefix)) members.take(path, "");
  }
  if (!blobs.has(digest)) refuse("the archive has no " + digest);
  return digest;
}

const DockerArchiveImage& pick(const std::vector<DockerArchiveImage>& images, const std::string& name) {
  if (images.size() == 1) return images.front();
  std::string all;
  for (const DockerArchiveImage& image : images) {
    for (const std::string& tag : image.tags) {
      if (!name.empty() && parse_reference(tag) == parse_reference(name)) return image;
      all.append(all.empty() ? "" : ", ").append(tag);
    }
  }
  refuse("the archive holds several images (" + all + "); name one of them");
}

// docker save's older layout: manifest.json names a config and layers, which are plain tar files.
std::string import_docker(Blobs& blobs, const Members& members, const std::string& name) {
  const auto images = parse_docker_archive(members.text("manifest.json"));
  if (images.empty()) refuse("manifest.json names no image");
  const DockerArchiveImage& image = pick(images, name);
  const Descriptor config = members.take(image.config, "application/vnd.docker.container.image.v1+json");
  std::vector<Descriptor> layers;
  for (const std::string& layer : image.layers) {
    const bool gzip = members.get(layer).gzip;
    layers.push_back(members.take(layer, gzip ? "application/vnd.docker.image.rootfs.diff.tar.gzip"
                                              : "application/vnd.docker.image.rootfs.diff.tar"));
  }
  return blobs.put_text(make_manifest(config, layers));
}

}  // namespace

std::string import_archive(Blobs& blobs, const std::string& file, const std::string& name) {
  Members members(blobs);
  members.read(file);
  if (members.find("index.json") != nullptr) return import_layout(blobs, members, name);
  if (members.find("manifest.json") != nullptr) return import_docker(blobs, members, name);
  refuse(file + " is neither a docker archive nor an OCI archive: it has no manifest.json and no index.json");
}

std::string import_directory(Blobs& blobs, const std::string& directory) {
  const auto document = read_file(directory + "/manifest.json");
  if (!document) refuse("the pulled image has no manifest");
  const Manifest manifest = parse_manifest(*document);
  std::vector<Descriptor> parts = manifest.layers;
  parts.push_back(manifest.config);
  for (const Descriptor& part : parts) {
    const std::string file = directory + "/" + digest_hex(part.digest);
    std::error_code error;
    if (blobs.has(part.digest)) continue;
    if (!std::filesystem::exists(file, error)) refuse("the pulled image has no " + part.digest);
    const std::string found = digest_of_file(file);
    if (found != part.digest) refuse(part.digest + " does not match its digest: its content has " + found);
    blobs.adopt(part.digest, file);
  }
  return blobs.put_text(*document);
}

}  // namespace brume::containers
