// Image documents: manifests of Docker (version 2, schema 2) and OCI, indexes, and image configurations. Pure functions
// over JSON; the input is untrusted. Each throws PlaneError{permanent} that says what is wrong with the document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planes/containers/images.h"

namespace brume::containers {

struct Descriptor {
  std::string media_type, digest;
  std::uint64_t size = 0;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
  bool operator==(const Manifest&) const = default;
};

// "sha256:" and 64 hex digits in lower case.
bool is_digest(std::string_view text);
// The hex digits of a digest.
std::string digest_hex(std::string_view digest);

bool is_index(std::string_view document);
// The digest of the index's manifest for linux/amd64. Manifests without a platform are taken as that.
std::string resolve_index(std::string_view document);
// The same, when an entry is annotated with the name (as tools write index.json of several images), of that entry.
std::string resolve_named(std::string_view document, const std::string& name);
Manifest parse_manifest(std::string_view document);
ImageConfig parse_config(std::string_view document);

// The manifest of an image whose layers are plain tar files (docker save).
std::string make_manifest(const Descriptor& config, const std::vector<Descriptor>& layers);

// The images of a docker-archive, as its manifest.json lists them (docker save).
struct DockerArchiveImage {
  std::string config;
  std::vector<std::string> tags, layers;  // names of the archive's members
};
std::vector<DockerArchiveImage> parse_docker_archive(std::string_view document);

}  // namespace brume::containers
