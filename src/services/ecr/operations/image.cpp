// Images of a repository.
#include <algorithm>

#include "services/ecr/ecr.h"

namespace brume::ecr {
namespace {

ImageIdentifier identifier(const std::string& digest, const std::string& tag) {
  ImageIdentifier id;
  if (!digest.empty()) id.image_digest = digest;
  if (!tag.empty()) id.image_tag = tag;
  return id;
}

const ImageRecord* find(const Ecr& ecr, const Scope& scope, const std::string& repository, const ImageIdentifier& id) {
  const ImageRecord* image =
      find_image(ecr, scope, repository, id.image_digest ? *id.image_digest : id.image_tag.get());
  // A digest and a tag together must mean the same image.
  if (image == nullptr || !id.image_tag || std::ranges::find(image->tags, *id.image_tag) != image->tags.end())
    return image;
  return nullptr;
}

ImageFailure failure(const ImageIdentifier& id) {
  ImageFailure failure;
  failure.image_id = id;
  failure.failure_code = "ImageNotFound";
  failure.failure_reason = "Requested image not found";
  return failure;
}

Image describe(const Ecr& ecr, const Scope& scope, const ImageRecord& record, const ImageIdentifier& asked) {
  Image image;
  image.registry_id = scope.account;
  image.repository_name = record.repository;
  image.image_id = identifier(record.digest, asked.image_tag.get());
  image.image_manifest = ecr.needs.images.read(record.digest).value_or("");
  image.image_manifest_media_type = record.media_type;
  return image;
}

bool has_tag_status(const ImageRecord& image, const std::string& status) {
  return status.empty() || status == "ANY" || (status == "TAGGED") == !image.tags.empty();
}

std::vector<const ImageRecord*> images_of(const Ecr& ecr, const Scope& scope, const std::string& repository,
                                          const std::string& tag_status) {
  return ecr.images.select(scope, [&](const ImageRecord& image) {
    return image.repository == repository && has_tag_status(image, tag_status);
  });
}

ImageDetail describe_detail(const Scope& scope, const ImageRecord& record) {
  ImageDetail detail;
  detail.registry_id = scope.account;
  detail.repository_name = record.repository;
  detail.image_digest = record.digest;
  if (!record.tags.empty()) detail.image_tags = record.tags;
  detail.image_size_in_bytes = record.size_bytes;
  detail.image_pushed_at = record.pushed_at;
  detail.image_manifest_media_type = record.media_type;
  if (!record.artifact_media_type.empty()) detail.artifact_media_type = record.artifact_media_type;
  if (record.pulled_at != Time{}) detail.last_recorded_pull_time = record.pulled_at;
  return detail;
}

}  // namespace

BatchGetImageOutput batch_get_image(Ecr& ecr, Tx&, const Request<BatchGetImageInput>& request) {
  const std::string& name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  BatchGetImageOutput output;
  output.images.ensure();
  output.failures.ensure();
  for (const ImageIdentifier& id : request.input.image_ids.get()) {
    const ImageRecord* image = find(ecr, request.scope, name, id);
    if (image == nullptr)
      output.failures->push_back(failure(id));
    else
      output.images->push_back(describe(ecr, request.scope, *image, id));
  }
  return output;
}

BatchDeleteImageOutput batch_delete_image(Ecr& ecr, Tx& tx, const Request<BatchDeleteImageInput>& request) {
  const std::string name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  BatchDeleteImageOutput output;
  output.image_ids.ensure();
  output.failures.ensure();
  for (const ImageIdentifier& id : request.input.image_ids.get()) {
    const ImageRecord* found = find(ecr, request.scope, name, id);
    if (found == nullptr) {
      output.failures->push_back(failure(id));
      continue;
    }
    const ImageRecord image = *found;
    // By tag alone only the tag goes, unless it is the image's last one.
    if (!id.image_digest && image.tags.size() > 1) {
      ecr.images.modify(tx, request.scope, image.key(),
                        [&](ImageRecord& changed) { std::erase(changed.tags, *id.image_tag); });
      output.image_ids->push_back(identifier(image.digest, *id.image_tag));
      continue;
    }
    delete_image(ecr, tx, request.scope, image);
    if (image.tags.empty()) output.image_ids->push_back(identifier(image.digest, {}));
    for (const std::string& tag : image.tags) output.image_ids->push_back(identifier(image.digest, tag));
  }
  return output;
}

PutImageOutput put_image(Ecr& ecr, Tx& tx, const Request<PutImageInput>& request) {
  const PutImageInput& input = request.input;
  const std::string name = get_repository(ecr, request.scope, input.repository_name.get()).name;
  if (input.image_tag) {
    const ImageRecord* holder = find_image(ecr, request.scope, name, *input.image_tag);
    if (holder != nullptr && ecr.needs.images.read(holder->digest) == input.image_manifest.get())
      throw image_already_exists_exception("Image with digest '" + holder->digest + "' and tag '" + *input.image_tag +
                                           "' already exists in the repository with name '" + name +
                                           "' in registry with id '" + request.scope.account + "'");
  }
  const ImageRecord& image = put_manifest(ecr, tx, request.scope, name, input.image_manifest.get(),
                                          input.image_manifest_media_type.get(), input.image_tag.get());
  if (input.image_digest && *input.image_digest != image.digest)
    throw image_digest_does_not_match_exception("The specified image digest does not match the computed digest " +
                                                image.digest);
  PutImageOutput output;
  output.image = describe(ecr, request.scope, image, identifier({}, input.image_tag.get()));
  return output;
}

DescribeImagesOutput describe_images(Ecr& ecr, Tx&, const Request<DescribeImagesInput>& request) {
  const std::string& name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  DescribeImagesOutput output;
  output.image_details.ensure();
  for (const ImageIdentifier& id : request.input.image_ids.get()) {
    const ImageRecord* image = find(ecr, request.scope, name, id);
    if (image == nullptr)
      throw image_not_found_exception("The image with imageId {imageDigest:'" + id.image_digest.value_or("null") +
                                      "', imageTag:'" + id.image_tag.value_or("null") +
                                      "'} does not exist within the repository with name '" + name +
                                      "' in the registry with id '" + request.scope.account + "'");
    output.image_details->push_back(describe_detail(request.scope, *image));
  }
  if (!request.input.image_ids.get().empty()) return output;
  auto images = images_of(ecr, request.scope, name, request.input.filter.get().tag_status.get());
  output.next_token = cut_page(
      ecr.paging, paging_purpose("ecr:DescribeImages", request.scope, name), request.input.next_token,
      static_cast<std::size_t>(request.input.max_results.value_or(100)), images,
      [](const ImageRecord* image) { return image->key(); },
      invalid_parameter_exception("Invalid parameter at 'nextToken'"));
  for (const ImageRecord* image : images) output.image_details->push_back(describe_detail(request.scope, *image));
  return output;
}

ListImagesOutput list_images(Ecr& ecr, Tx&, const Request<ListImagesInput>& request) {
  const std::string& name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  auto images = images_of(ecr, request.scope, name, request.input.filter.get().tag_status.get());
  ListImagesOutput output;
  output.next_token = cut_page(
      ecr.paging, paging_purpose("ecr:ListImages", request.scope, name), request.input.next_token,
      static_cast<std::size_t>(request.input.max_results.value_or(100)), images,
      [](const ImageRecord* image) { return image->key(); },
      invalid_parameter_exception("Invalid parameter at 'nextToken'"));
  output.image_ids.ensure();
  for (const ImageRecord* image : images) {
    if (image->tags.empty()) output.image_ids->push_back(identifier(image->digest, {}));
    for (const std::string& tag : image->tags) output.image_ids->push_back(identifier(image->digest, tag));
  }
  return output;
}

BatchCheckLayerAvailabilityOutput batch_check_layer_availability(
    Ecr& ecr, Tx&, const Request<BatchCheckLayerAvailabilityInput>& request) {
  const std::string& name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  BatchCheckLayerAvailabilityOutput output;
  output.layers.ensure();
  output.failures.ensure();
  for (const std::string& digest : request.input.layer_digests.get()) {
    const bool available = ecr.layers.find(request.scope, name + "@" + digest) != nullptr;
    Layer& layer = output.layers->emplace_back();
    layer.layer_digest = digest;
    layer.layer_availability = available ? "AVAILABLE" : "UNAVAILABLE";
    if (available) layer.layer_size = static_cast<std::int64_t>(ecr.needs.images.size(digest).value_or(0));
  }
  return output;
}

// AWS answers a presigned S3 address; here the registry serves the blob, with a token of its own in the address.
GetDownloadUrlForLayerOutput get_download_url_for_layer(Ecr& ecr, Tx& tx,
                                                        const Request<GetDownloadUrlForLayerInput>& request) {
  const std::string& name = get_repository(ecr, request.scope, request.input.repository_name.get()).name;
  const std::string& digest = request.input.layer_digest.get();
  if (ecr.layers.find(request.scope, name + "@" + digest) == nullptr)
    throw layers_not_found_exception("The layer with digest '" + digest +
                                     "' was not found in the repository with name '" + name + "'");
  const std::string password = ecr.needs.random.hex(64);
  ecr.tokens.insert(tx, request.scope, password, {request.principal.access_key_id, request.now + hours(1)});
  GetDownloadUrlForLayerOutput output;
  output.download_url =
      "https://" + registry_host(request.scope) + "/v2/" + name + "/blobs/" + digest + "?token=" + password;
  output.layer_digest = digest;
  return output;
}

}  // namespace brume::ecr
