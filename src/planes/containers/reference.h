// Names of images: "nginx" is docker.io/library/nginx:latest. And the table of names that this store knows.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace brume::containers {

struct Reference {
  std::string host, repository, tag, digest;  // a tag or a digest, or both
  bool operator==(const Reference&) const = default;
};
// Docker's rules for names without a registry or a tag. Throws PlaneError{permanent} for what is no name.
Reference parse_reference(std::string_view text);
std::string to_string(const Reference& reference);

struct KnownImage {
  std::string digest;   // of the manifest
  bool loaded = false;  // from an archive: the name means this image, and no registry is asked
  bool operator==(const KnownImage&) const = default;
};

// STATE/images/references.json, resident. Control thread.
class References {
 public:
  explicit References(std::string file);
  const KnownImage* find(const std::string& reference) const;  // by its full name
  void put(const std::string& reference, KnownImage image);
  const std::map<std::string, KnownImage>& all() const { return images_; }

 private:
  std::string file_;
  std::map<std::string, KnownImage> images_;
};

}  // namespace brume::containers
