// For tests: an image in an image store, of layers given as members of tar files.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/testing.h"
#include "core/text.h"
#include "planes/containers/blobs.h"
#include "planes/containers/images.h"
#include "planes/containers/test_tar.h"

namespace brume::testing {

struct TestImage {
  std::string manifest, config;  // documents
  std::vector<std::string> layer_files;
};

inline std::string sha256_digest(const std::string& text) { return "sha256:" + to_hex(sha256(text)); }

// `settings` is the config's "config" member. Layer files are made in `directory`.
inline TestImage make_image(const std::string& directory, const std::vector<std::vector<TarMember>>& layers,
                            const boost::json::object& settings, const std::string& architecture = "amd64") {
  TestImage image;
  image.config = boost::json::serialize(
      boost::json::object{{"architecture", architecture}, {"os", "linux"}, {"config", settings}});
  boost::json::array list;
  for (const auto& members : layers) {
    image.layer_files.push_back(directory + "/layer" + std::to_string(image.layer_files.size()) + ".tar.gz");
    write_tar(image.layer_files.back(), members, TarFilter::gzip);
    list.push_back(boost::json::object{{"mediaType", "application/vnd.oci.image.layer.v1.tar+gzip"},
                                       {"digest", containers::digest_of_file(image.layer_files.back())},
                                       {"size", std::filesystem::file_size(image.layer_files.back())}});
  }
  image.manifest = boost::json::serialize(
      boost::json::object{{"schemaVersion", 2},
                          {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
                          {"config", boost::json::object{{"mediaType", "application/vnd.oci.image.config.v1+json"},
                                                         {"digest", sha256_digest(image.config)},
                                                         {"size", image.config.size()}}},
                          {"layers", std::move(list)}});
  return image;
}

// Puts it into the store; the digest of its manifest.
inline std::string put_image(containers::Images& images, const TestImage& image) {
  for (const std::string& file : image.layer_files) {
    Body body;
    body.file = file;
    if (!images.put(containers::digest_of_file(file), body)) throw std::runtime_error(file);
  }
  images.put_text(image.config);
  return images.put_text(image.manifest);
}

}  // namespace brume::testing
