// Manifests: what makes an image of a repository.
#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <set>

#include "core/text.h"
#include "services/ecr/ecr.h"

namespace brume::ecr {
namespace {

namespace json = boost::json;

// No part of an image is larger than this, so that the sum of those that a manifest has room for cannot overflow.
constexpr std::int64_t kLargestSize = std::int64_t{1} << 40;

struct Parsed {
  std::string media_type, artifact_media_type;
  std::vector<std::string> blobs;
  std::vector<std::optional<std::int64_t>> sizes;  // of the blobs, as the manifest says
  std::vector<std::string> manifests;              // of an index
  std::int64_t size_bytes = 0;
};

[[noreturn]] void refuse(const std::string& text) {
  throw invalid_parameter_exception("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '" + text +
                                    "'");
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// Reads one descriptor {mediaType, digest, size}.
std::string read_descriptor(const json::value& value, Parsed& parsed) {
  const json::object* object = value.if_object();
  if (object == nullptr) refuse("a descriptor must be an object");
  const std::string digest = text_member(*object, "digest");
  if (!digest.starts_with("sha256:") || digest.size() != 71) refuse("a descriptor needs a sha256 digest");
  std::optional<std::int64_t> bytes;
  if (const json::value* size = object->if_contains("size")) {
    if (!size->is_int64() || size->as_int64() < 0 || size->as_int64() > kLargestSize)
      refuse("a descriptor's size is out of range");
    bytes = size->as_int64();
    parsed.size_bytes += *bytes;
  }
  parsed.sizes.push_back(bytes);
  return digest;
}

Parsed parse(const std::string& manifest, const std::string& media_type) {
  boost::system::error_code error;
  const json::value document = json::parse(manifest, error);
  const json::object* object = document.if_object();
  if (error || object == nullptr) refuse("the manifest is not JSON");
  Parsed parsed;
  parsed.media_type = media_type.empty() ? text_member(*object, "mediaType") : media_type;
  if (const json::value* list = object->if_contains("manifests")) {
    if (!list->is_array()) refuse("manifests must be a list");
    for (const json::value& item : list->as_array()) parsed.manifests.push_back(read_descriptor(item, parsed));
    return parsed;
  }
  const json::value* config = object->if_contains("config");
  const json::value* layers = object->if_contains("layers");
  if (config == nullptr || layers == nullptr || !layers->is_array()) refuse("a manifest needs config and layers");
  if (config->is_object()) parsed.artifact_media_type = text_member(config->as_object(), "mediaType");
  parsed.blobs.push_back(read_descriptor(*config, parsed));
  for (const json::value& layer : layers->as_array()) parsed.blobs.push_back(read_descriptor(layer, parsed));
  return parsed;
}

void check_parts(const Ecr& ecr, const Scope& scope, const std::string& repository, const Parsed& parsed) {
  for (std::size_t i = 0; i < parsed.blobs.size(); ++i) {
    const std::string& digest = parsed.blobs[i];
    if (ecr.layers.find(scope, repository + "@" + digest) == nullptr || !ecr.needs.images.has(digest))
      throw layers_not_found_exception("Layers with digests '" + digest +
                                       "' required for pushing image into repository with name '" + repository +
                                       "' in the registry with id '" + scope.account + "' do not exist");
    const auto stored = ecr.needs.images.size(digest);
    if (stored && parsed.sizes[i] && static_cast<std::int64_t>(*stored) != *parsed.sizes[i])
      refuse("the layer " + digest + " has " + std::to_string(*stored) + " bytes, not " +
             std::to_string(*parsed.sizes[i]));
  }
  for (const std::string& digest : parsed.manifests)
    if (ecr.images.find(scope, repository + "@" + digest) == nullptr)
      throw referenced_images_not_found_exception(
          "Images with digests '" + digest + "' required for pushing image into repository with name '" + repository +
          "' in the registry with id '" + scope.account + "' do not exist");
}

void move_tag(Ecr& ecr, Tx& tx, const Scope& scope, const RepositoryRecord& repository, const std::string& digest,
              const std::string& tag) {
  const ImageRecord* holder = find_image(ecr, scope, repository.name, tag);
  if (holder != nullptr && holder->digest != digest) {
    if (repository.mutability != "MUTABLE")
      throw image_tag_already_exists_exception("The image tag '" + tag + "' already exists in the '" + repository.name +
                                               "' repository and cannot be overwritten because the tag is immutable.");
    ecr.images.modify(tx, scope, holder->key(), [&](ImageRecord& image) { std::erase(image.tags, tag); });
  }
  ecr.images.modify(tx, scope, repository.name + "@" + digest, [&](ImageRecord& image) {
    if (std::ranges::find(image.tags, tag) == image.tags.end()) image.tags.push_back(tag);
  });
}

}  // namespace

const ImageRecord& put_manifest(Ecr& ecr, Tx& tx, const Scope& scope, const std::string& repository,
                                const std::string& manifest, const std::string& media_type, const std::string& tag) {
  const RepositoryRecord& record = get_repository(ecr, scope, repository);
  const Parsed parsed = parse(manifest, media_type);
  check_parts(ecr, scope, repository, parsed);
  const std::string digest = ecr.needs.images.put_text(manifest);
  const std::string key = repository + "@" + digest;
  if (ecr.images.find(scope, key) == nullptr) {
    ImageRecord image;
    image.repository = repository;
    image.digest = digest;
    image.media_type = parsed.media_type;
    image.artifact_media_type = parsed.artifact_media_type;
    image.blobs = parsed.blobs;
    image.size_bytes = parsed.size_bytes;
    image.pushed_at = ecr.needs.clock.now();
    ecr.images.insert(tx, scope, key, std::move(image));
  }
  if (!tag.empty()) move_tag(ecr, tx, scope, record, digest, tag);
  if (!record.lifecycle_policy.empty()) {
    tx.on_commit([&ecr, scope, repository] {
      ecr.needs.control.post([&ecr, scope, repository] {
        Tx own(ecr.needs.store);
        if (ecr.repositories.find(scope, repository) != nullptr) apply_lifecycle(ecr, own, scope, repository);
        own.commit();
      });
    });
  }
  return *ecr.images.find(scope, key);
}

void delete_image(Ecr& ecr, Tx& tx, const Scope& scope, const ImageRecord& image) {
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the record is erased first
  const ImageRecord gone = image;
  ecr.images.erase(tx, scope, gone.key());
  std::set<std::string> needed;
  ecr.images.for_each(scope, [&](const ImageRecord& other) {
    if (other.repository == gone.repository) needed.insert(other.blobs.begin(), other.blobs.end());
  });
  for (const std::string& blob : gone.blobs)
    if (!needed.contains(blob)) ecr.layers.erase(tx, scope, gone.repository + "@" + blob);
  if (ecr.needs.on_release) tx.on_commit(ecr.needs.on_release);
}

}  // namespace brume::ecr
