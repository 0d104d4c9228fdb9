// Amazon ECR: repositories, images, their lifecycle, and the registry that skopeo, buildah and docker speak to. Blobs
// are the image store's, which the containers plane runs from. Control thread.
#pragma once

#include <boost/describe/class.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/authorization.h"
#include "aws/http.h"
#include "aws/paging.h"
#include "core/random.h"
#include "core/runtime.h"
#include "gen/ecr.h"
#include "planes/containers/images.h"
#include "store/table.h"

namespace brume::ecr {

struct RepositoryRecord {
  std::string name, mutability = "MUTABLE";
  bool scan_on_push = false;
  Time created_at, lifecycle_evaluated_at;
  std::string lifecycle_policy, policy;  // documents as they were put; empty: none
  Tags tags;
};
BOOST_DESCRIBE_STRUCT(RepositoryRecord, (),
                      (name, mutability, scan_on_push, created_at, lifecycle_evaluated_at, lifecycle_policy, policy,
                       tags))

// Key: "repository@digest".
struct ImageRecord {
  std::string repository, digest, media_type, artifact_media_type;
  std::vector<std::string> tags, blobs;  // blobs: the config and layers (or manifests) it refers to
  std::int64_t size_bytes = 0;
  Time pushed_at, pulled_at;
  std::string key() const { return repository + "@" + digest; }
};
BOOST_DESCRIBE_STRUCT(ImageRecord, (),
                      (repository, digest, media_type, artifact_media_type, tags, blobs, size_bytes, pushed_at,
                       pulled_at))

// Which blobs were uploaded to a repository. Key: "repository@digest".
struct LayerRecord {
  std::string digest;
};
BOOST_DESCRIBE_STRUCT(LayerRecord, (), (digest))

// What GetAuthorizationToken gave out; key: the password. It is worth what the access key behind it is worth.
struct TokenRecord {
  std::string access_key_id;
  Time expires;
};
BOOST_DESCRIBE_STRUCT(TokenRecord, (), (access_key_id, expires))

struct EcrNeeds {
  Store& store;
  Clock& clock;
  Random& random;
  Control& control;
  Workers& workers;
  containers::Images& images;
  Credentials& credentials;
  Authorizer& authorizer;
  std::string spool_directory;
  std::function<void()> on_release = {};  // images were deleted: their blobs may be needed no more
};

struct Ecr final : ResourcePolicies {
  explicit Ecr(const EcrNeeds& needs);
  ~Ecr() override;

  // Lifecycle policies run daily, and after each push; expired tokens go.
  void start();
  // The Docker Registry HTTP API V2, at ACCOUNT.dkr.ecr.REGION.amazonaws.com and /v2/ of the API's port.
  HttpHandler& registry();
  // Repository policies, for the authorizer.
  std::optional<Found> find(const std::string& repository_arn) const override;

  EcrNeeds needs;
  Table<RepositoryRecord> repositories;
  Table<ImageRecord> images;
  Table<LayerRecord> layers;
  std::multiset<std::string> storing;  // digests of blobs that a worker takes in: theirs is no record yet
  Table<TokenRecord> tokens;
  PagingTokens paging;
  std::unique_ptr<HttpHandler> registry_handler;
};

// ACCOUNT.dkr.ecr.REGION.amazonaws.com
std::string registry_host(const Scope& scope);
// The scope of such a host name; nullopt when it is none.
std::optional<Scope> scope_of_registry_host(const std::string& host);
std::string repository_arn(const Scope& scope, const std::string& name);

const RepositoryRecord& get_repository(const Ecr& ecr, const Scope& scope, const std::string& name);
// By digest ("sha256:…") or tag; nullptr: no such image.
const ImageRecord* find_image(const Ecr& ecr, const Scope& scope, const std::string& repository,
                              const std::string& reference);

// Stores a manifest and moves the tag to it. Throws the modelled errors (layers missing, immutable tag, bad manifest).
const ImageRecord& put_manifest(Ecr& ecr, Tx& tx, const Scope& scope, const std::string& repository,
                                const std::string& manifest, const std::string& media_type, const std::string& tag);
void delete_image(Ecr& ecr, Tx& tx, const Scope& scope, const ImageRecord& image);

// Deletes what the repository's lifecycle policy expires.
void apply_lifecycle(Ecr& ecr, Tx& tx, const Scope& scope, const std::string& repository);
// Why the document is no lifecycle policy; empty if it is one.
std::string lifecycle_problem(const std::string& document);
struct LifecycleImage {
  std::string digest;
  std::vector<std::string> tags;
  Time pushed_at;
};
// The digests that the policy expires at `now`: a pure function, "Lifecycle policies" of the ECR user guide.
std::vector<std::string> expired_images(const std::string& document, std::vector<LifecycleImage> images, Time now);

// What pulling "HOST/REPOSITORY:TAG" as a principal gives: the manifest's digest, or the error that ECS shows.
struct PullAnswer {
  std::string digest, error;
};
PullAnswer resolve_pull(Ecr& ecr, const Scope& caller, const std::string& reference, const Principal& principal);

}  // namespace brume::ecr
