#include "planes/containers/manifest.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/error.h"

namespace brume::containers {
namespace {

namespace json = boost::json;

[[noreturn]] void malformed(std::string_view what) { throw PlaneError(PlaneError::Kind::permanent, std::string(what)); }

json::value parse(std::string_view document, std::string_view what) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(document.data(), document.size()), error);
  if (error) malformed(std::string(what) + " is not JSON: " + error.message());
  return value;
}

const json::object& as_object(const json::value& value, std::string_view what) {
  if (!value.is_object()) malformed(std::string(what) + " is not an object");
  return value.get_object();
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) malformed(std::string(name) + " is not a string");
  return std::string(value->get_string());
}

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_array()) malformed(std::string(name) + " is not a list");
  std::vector<std::string> out;
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) malformed(std::string(name) + " holds something else than strings");
    out.emplace_back(item.get_string());
  }
  return out;
}

Descriptor parse_descriptor(const json::value& value, std::string_view what) {
  const json::object& object = as_object(value, what);
  Descriptor descriptor;
  descriptor.media_type = text_of(object, "mediaType");
  descriptor.digest = text_of(object, "digest");
  if (!is_digest(descriptor.digest)) malformed(std::string(what) + " has no sha256 digest");
  if (const json::value* size = object.if_contains("size"); size != nullptr && size->is_int64()) {
    if (size->get_int64() < 0) malformed(std::string(what) + " has a negative size");
    descriptor.size = static_cast<std::uint64_t>(size->get_int64());
  }
  return descriptor;
}

bool is_for_this_machine(const json::object& entry) {
  const json::value* platform = entry.if_contains("platform");
  if (platform == nullptr || !platform->is_object()) return true;
  const json::object& object = platform->get_object();
  return text_of(object, "os") == "linux" && text_of(object, "architecture") == "amd64";
}

constexpr std::size_t kMostLayers = 127;  // Docker's own limit: each is a directory of one overlay

constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

}  // namespace

bool is_digest(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 64) return false;
  return std::ranges::all_of(text.substr(kPrefix.size()),
                             [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string digest_hex(std::string_view digest) {
  if (!is_digest(digest)) malformed("\"" + std::string(digest) + "\" is not a sha256 digest");
  return std::string(digest.substr(digest.find(':') + 1));
}

bool is_index(std::string_view document) {
  const json::value value = parse(document, "The manifest");
  return as_object(value, "The manifest").contains("manifests");
}

std::string resolve_index(std::string_view document) {
  const json::value value = parse(document, "The index");
  const json::value* manifests = as_object(value, "The index").if_contains("manifests");
  if (manifests == nullptr || !manifests->is_array()) malformed("The index has no manifests");
  for (const json::value& entry : manifests->get_array()) {
    const json::object& object = as_object(entry, "An entry of the index");
    if (is_for_this_machine(object)) return parse_descriptor(entry, "An entry of the index").digest;
  }
  malformed("The index has no image for linux/amd64");
}

std::string resolve_named(std::string_view document, const std::string& name) {
  const json::value value = parse(document, "The index");
  const json::value* manifests = as_object(value, "The index").if_contains("manifests");
  if (manifests == nullptr || !manifests->is_array() || name.empty()) return resolve_index(document);
  for (const json::value& entry : manifests->get_array()) {
    const json::value* annotations = as_object(entry, "An entry of the index").if_contains("annotations");
    if (annotations == nullptr || !annotations->is_object()) continue;
    for (const char* key : {"io.containerd.image.name", "org.opencontainers.image.ref.name"}) {
      if (text_of(annotations->get_object(), key) == name)
        return parse_descriptor(entry, "An entry of the index").digest;
    }
  }
  return resolve_index(document);
}

Manifest parse_manifest(std::string_view document) {
  const json::value value = parse(document, "The manifest");
  const json::object& object = as_object(value, "The manifest");
  const json::value* version = object.if_contains("schemaVersion");
  if (version == nullptr || !version->is_int64() || version->get_int64() != 2) {
    malformed("The manifest is not of schema version 2");
  }
  const json::value* config = object.if_contains("config");
  const json::value* layers = object.if_contains("layers");
  if (config == nullptr) malformed("The manifest has no config");
  if (layers == nullptr || !layers->is_array()) malformed("The manifest has no layers");
  if (layers->get_array().size() > kMostLayers)
    malformed("The manifest has " + std::to_string(layers->get_array().size()) + " layers; an image may have " +
              std::to_string(kMostLayers));
  Manifest manifest{parse_descriptor(*config, "The manifest's config"), {}};
  for (const json::value& layer : layers->get_array()) {
    manifest.layers.push_back(parse_descriptor(layer, "A layer of the manifest"));
  }
  return manifest;
}

ImageConfig parse_config(std::string_view document) {
  const json::value value = parse(document, "The image's config");
  const json::object& object = as_object(value, "The image's config");
  ImageConfig config;
  config.architecture = text_of(object, "architecture");
  config.os = text_of(object, "os");
  const json::value* settings = object.if_contains("config");
  if (settings == nullptr || !settings->is_object()) return config;
  const json::object& inner = settings->get_object();
  config.entry_point = texts_of(inner, "Entrypoint");
  config.command = texts_of(inner, "Cmd");
  config.environment = texts_of(inner, "Env");
  config.directory = text_of(inner, "WorkingDir");
  config.user = text_of(inner, "User");
  config.stop_signal = text_of(inner, "StopSignal");
  if (const json::value* check = inner.if_contains("Healthcheck"); check != nullptr && check->is_object()) {
    config.health_check = texts_of(check->get_object(), "Test");
  }
  return config;
}

std::string make_manifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  const auto descriptor = [](const Descriptor& part) {
    return json::object{{"mediaType", part.media_type}, {"size", part.size}, {"digest", part.digest}};
  };
  json::array list;
  for (const Descriptor& layer : layers) list.push_back(descriptor(layer));
  return json::serialize(json::object{{"schemaVersion", 2},
                                      {"mediaType", json::string_view(kDockerManifest.data(), kDockerManifest.size())},
                                      {"config", descriptor(config)},
                                      {"layers", std::move(list)}});
}

std::vector<DockerArchiveImage> parse_docker_archive(std::string_view document) {
  const json::value value = parse(document, "manifest.json");
  if (!value.is_array()) malformed("manifest.json is not a list");
  std::vector<DockerArchiveImage> images;
  for (const json::value& entry : value.get_array()) {
    const json::object& object = as_object(entry, "An entry of manifest.json");
    images.push_back({text_of(object, "Config"), texts_of(object, "RepoTags"), texts_of(object, "Layers")});
  }
  return images;
}

}  // namespace brume::containers
