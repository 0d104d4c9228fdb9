#include "services/ecr/registry.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/fault.h"
#include "core/log.h"
#include "core/text.h"
#include "services/ecr/chunks.h"

namespace brume::ecr {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kLargestLayer = std::uint64_t{10}
                                        << 30;  // "Maximum layer size: 52 GiB" on AWS; ours is smaller
constexpr std::uint64_t kLargestManifest = std::uint64_t{4} << 20;  // "Image manifest size: 4 MiB"
constexpr Duration kUploadsStay = hours(24);

// An error in the registry's own shape; thrown within a call, answered at its end.
struct RegistryError {
  int status;
  std::string code, message;
};

HttpReply error_reply(const RegistryError& error) {
  const json::object body{{"errors", json::array{json::object{{"code", error.code}, {"message", error.message}}}}};
  return {.status = error.status,
          .headers = {{"Content-Type", "application/json"}},
          .body = Body::of(json::serialize(body))};
}

HttpReply unauthorized(const HttpRequest& request) {
  HttpReply reply = error_reply({401, "UNAUTHORIZED", "Not Authorized"});
  const std::string scheme = request.context.secure ? "https://" : "http://";
  reply.headers.emplace_back("Www-Authenticate", "Basic realm=\"" + scheme + std::string(request.header("Host")) +
                                                     "/\",service=\"ecr.amazonaws.com\"");
  return reply;
}

std::string range_of(std::uint64_t size) { return "0-" + std::to_string(size == 0 ? 0 : size - 1); }

// 507, as nothing else says that the disk is full: 500 and 503 are repeated for a long time.
HttpReply not_stored(const std::string& problem) {
  log::error("ecr", "a layer could not be stored: " + problem);
  const bool full = problem.find("No space left") != std::string::npos || problem.find("is full") != std::string::npos;
  return error_reply({full ? 507 : 500, "UNKNOWN", full ? problem : "the layer could not be stored"});
}

RegistryError in_registrys_words(const AwsError& error) {
  if (error.code == "RepositoryNotFoundException") return {404, "NAME_UNKNOWN", error.message};
  return {400, "MANIFEST_INVALID", error.message};
}

}  // namespace

struct Registry::Call {
  HttpRequest request;
  Scope scope;
  Principal principal;
  bool authenticated = false;
  std::string repository, kind, reference;  // "team/app", "blobs" | "manifests" | "tags" | "uploads", the rest
};

std::uint64_t Registry::largest_body(std::string_view, std::string_view path) const {
  return path.find("/blobs/uploads") != std::string_view::npos ? kLargestLayer : kLargestManifest;
}

Registry::Call Registry::open(HttpRequest request) const {
  Call call{.request = std::move(request)};
  const std::string header(call.request.header("Authorization"));
  std::string password = call.request.parameter("token");
  if (header.starts_with("Basic ")) {
    const std::string decoded = from_base64(trim(std::string_view(header).substr(6))).value_or("");
    if (decoded.starts_with("AWS:")) password = decoded.substr(4);
  }
  ecr_.tokens.for_all([&](const Scope& scope, std::string_view id, const TokenRecord& token) {
    if (password.empty() || !equal_in_constant_time(id, password) || token.expires <= ecr_.needs.clock.now()) return;
    const std::optional<Credential> credential = ecr_.needs.credentials.find(token.access_key_id);
    if (!credential || !credential->active) return;
    call.scope = scope;
    call.principal = credential->principal;
    call.authenticated = true;
  });
  if (const auto scope = scope_of_registry_host(std::string(call.request.header("Host")))) call.scope = *scope;
  std::string path = percent_decode(call.request.path).value_or("");
  path.erase(0, std::string_view("/v2/").size());
  for (const char* kind : {"/blobs/uploads", "/blobs/", "/manifests/", "/tags/list"}) {
    const std::size_t at = path.rfind(kind);
    if (at == std::string::npos) continue;
    const std::string name = kind;
    call.repository = path.substr(0, at);
    call.kind = name == "/blobs/uploads" ? "uploads" : name == "/tags/list" ? "tags" : name.substr(1, name.size() - 2);
    call.reference = path.substr(at + name.size());
    if (call.kind == "uploads" && call.reference.starts_with('/')) call.reference.erase(0, 1);
    break;
  }
  return call;
}

void Registry::handle(HttpRequest request, std::function<void(HttpReply)> done) {
  Done answer = [done = std::move(done)](HttpReply reply) {
    reply.headers.emplace_back("Docker-Distribution-Api-Version", "registry/2.0");
    done(std::move(reply));
  };
  try {
    Call call = open(std::move(request));
    if (!call.authenticated) return answer(unauthorized(call.request));
    serve(call, answer);
  } catch (const RegistryError& error) {
    answer(error_reply(error));
  } catch (const AwsError& error) {
    answer(error_reply(in_registrys_words(error)));
  }
}

// Layers are sent by those who may: nobody else fills the disk.
std::optional<HttpReply> Registry::refuse(const HttpRequest& request) {
  try {
    const Call call = open(request);
    if (!call.authenticated) return unauthorized(request);
    require(call, call.kind == "uploads" ? "UploadLayerPart" : "PutImage");
    if (call.kind == "uploads" && request.method != "POST") get_upload(call);
    return std::nullopt;
  } catch (const RegistryError& error) {
    return error_reply(error);
  } catch (const AwsError& error) {
    return error_reply(in_registrys_words(error));
  }
}

void Registry::serve(Call& call, const Done& done) {
  if (call.request.path == "/v2/" || call.request.path == "/v2") return done({.status = 200, .body = Body::of("")});
  if (call.kind == "blobs") return blobs(call, done);
  if (call.kind == "uploads") return uploads(call, done);
  if (call.kind == "manifests") return manifests(call, done);
  if (call.kind == "tags") return tags(call, done);
  throw RegistryError{404, "UNSUPPORTED", "Brume's registry does not serve " + call.request.path};
}

// The repository must exist and the caller be allowed.
void Registry::require(const Call& call, const std::string& action) const {
  RequestContext context = call.request.context;
  context.scope = call.scope;
  context.principal = call.principal;
  context.now = ecr_.needs.clock.now();
  const Ask ask{.action = "ecr:" + action, .resource = repository_arn(call.scope, call.repository), .keys = {}};
  if (const Verdict verdict = ecr_.needs.authorizer.authorize(context, ask); !verdict.allowed)
    throw RegistryError{403, "DENIED", denial_message(call.principal, ask, verdict)};
  get_repository(ecr_, call.scope, call.repository);
}

void Registry::blobs(Call& call, const Done& done) {
  const std::string& method = call.request.method;
  if (method != "GET" && method != "HEAD") throw RegistryError{405, "UNSUPPORTED", "The operation is unsupported."};
  require(call, method == "HEAD" ? "BatchCheckLayerAvailability" : "GetDownloadUrlForLayer");
  const std::string& digest = call.reference;
  const auto size = ecr_.needs.images.size(digest);
  if (!size || ecr_.layers.find(call.scope, call.repository + "@" + digest) == nullptr)
    throw RegistryError{404, "BLOB_UNKNOWN", "blob unknown to registry"};
  Body body;
  body.file = ecr_.needs.images.path(digest);
  body.size = *size;
  done({.status = 200,
        .headers = {{"Content-Type", "application/octet-stream"}, {"Docker-Content-Digest", digest}},
        .body = std::move(body)});
}

std::map<std::string, Registry::Upload>::iterator Registry::get_upload(const Call& call) {
  const auto upload = uploads_.find(call.reference);
  if (upload == uploads_.end() || upload->second.repository != call.repository || upload->second.scope != call.scope)
    throw RegistryError{404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"};
  return upload;
}

void Registry::uploads(Call& call, const Done& done) {
  const std::string& method = call.request.method;
  if (method == "POST") return start_upload(call, done);
  const auto upload = get_upload(call);
  if (method == "PATCH") return continue_upload(call, done);
  if (method == "PUT") return finish_upload(call, done);
  if (method == "DELETE") {
    uploads_.erase(upload);
    return done({.status = 204});
  }
  if (method == "GET")
    return done(
        {.status = 204, .headers = {{"Range", range_of(upload->second.size)}, {"Docker-Upload-UUID", call.reference}}});
  throw RegistryError{405, "UNSUPPORTED", "The operation is unsupported."};
}

// A blob that another repository of the account has is shared instead of sent again, if the caller may read it there.
bool Registry::mount(const Call& call) {
  const std::string digest = call.request.parameter("mount");
  const std::string from = call.request.parameter("from");
  if (digest.empty() || from.empty() || ecr_.layers.find(call.scope, from + "@" + digest) == nullptr) return false;
  Call source{.request = {}, .scope = call.scope, .principal = call.principal, .repository = from};
  try {
    require(source, "GetDownloadUrlForLayer");
  } catch (const RegistryError&) {
    return false;  // then it is uploaded
  }
  Tx tx(ecr_.needs.store);
  ecr_.layers.put(tx, call.scope, call.repository + "@" + digest, {digest});
  tx.commit();
  return true;
}

void Registry::start_upload(Call& call, const Done& done) {
  require(call, "InitiateLayerUpload");
  drop_stale_uploads();
  const std::string base = "/v2/" + call.repository + "/blobs/";
  if (mount(call)) {
    const std::string digest = call.request.parameter("mount");
    return done({.status = 201, .headers = {{"Location", base + digest}, {"Docker-Content-Digest", digest}}});
  }
  const std::string id = ecr_.needs.random.uuid();
  if (const std::string digest = call.request.parameter("digest"); !digest.empty())
    return store_blob(call.scope, call.repository, digest, std::move(call.request.body), done);
  uploads_[id] = {.scope = call.scope, .repository = call.repository, .touched = ecr_.needs.clock.now()};
  done(
      {.status = 202, .headers = {{"Location", base + "uploads/" + id}, {"Range", "0-0"}, {"Docker-Upload-UUID", id}}});
}

void Registry::continue_upload(Call& call, const Done& done) {
  require(call, "UploadLayerPart");
  Upload& upload = uploads_[call.reference];
  const std::string range(call.request.header("Content-Range"));
  std::int64_t from = 0;
  if (!range.empty() &&
      (!parse_int(range.substr(0, range.find('-')), from) || static_cast<std::uint64_t>(from) != upload.size))
    throw RegistryError{416, "BLOB_UPLOAD_INVALID", "the range does not continue the upload"};
  upload.size += call.request.body.size;
  if (upload.size > kLargestLayer) throw RegistryError{413, "SIZE_INVALID", "the layer is larger than 10 GiB"};
  upload.touched = ecr_.needs.clock.now();
  if (call.request.body.size > 0) upload.chunks.push_back(std::move(call.request.body));
  done({.status = 202,
        .headers = {{"Location", "/v2/" + call.repository + "/blobs/uploads/" + call.reference},
                    {"Range", range_of(upload.size)},
                    {"Docker-Upload-UUID", call.reference}}});
}

void Registry::finish_upload(Call& call, const Done& done) {
  require(call, "CompleteLayerUpload");
  const std::string digest = call.request.parameter("digest");
  if (!digest.starts_with("sha256:"))
    throw RegistryError{400, "DIGEST_INVALID", "provided digest did not match uploaded content"};
  Upload upload = std::move(uploads_[call.reference]);
  uploads_.erase(call.reference);
  if (call.request.body.size > 0) upload.chunks.push_back(std::move(call.request.body));
  if (upload.chunks.empty()) upload.chunks.push_back(Body::of(""));
  if (upload.chunks.size() > 1) return finish_chunks(std::move(upload), digest, done);
  store_blob(upload.scope, upload.repository, digest, std::move(upload.chunks.front()), done);
}

// Several chunks are joined and digested on a worker.
void Registry::finish_chunks(Upload upload, const std::string& digest, const Done& done) {
  auto joined = std::make_shared<Body>();
  auto failed = std::make_shared<std::string>();
  const std::string path = ecr_.needs.spool_directory + "/layer-" + ecr_.needs.random.hex(16);
  const Scope scope = upload.scope;
  const std::string repository = upload.repository;
  ecr_.needs.workers.run(
      [chunks = std::move(upload.chunks), joined, failed, path] {
        try {
          *joined = join_bodies(chunks, path);
        } catch (const std::exception& error) {
          *failed = error.what();
        }
      },
      [this, scope, repository, digest, joined, failed, done] {
        if (!failed->empty()) return done(not_stored(*failed));
        store_blob(scope, repository, digest, std::move(*joined), done);
      });
}

void Registry::store_blob(const Scope& scope, const std::string& repository, const std::string& digest, Body body,
                          const Done& done) {
  struct Work {
    Body body;
    bool stored = false;
    std::string problem;
  };
  auto work = std::make_shared<Work>(Work{.body = std::move(body), .problem = {}});  // a worker's, then ours again
  ecr_.storing.insert(digest);
  ecr_.needs.workers.run(
      [&images = ecr_.needs.images, digest, work] {
        try {
          work->stored = images.put(digest, std::move(work->body));
        } catch (const std::exception& error) {
          work->problem = error.what();
        }
      },
      [this, scope, repository, digest, work, done] {
        ecr_.storing.erase(ecr_.storing.find(digest));
        if (!work->problem.empty()) return done(not_stored(work->problem));
        if (!work->stored)
          return done(error_reply({400, "DIGEST_INVALID", "provided digest did not match uploaded content"}));
        fault_point("ecr.layer.stored");
        try {
          Tx tx(ecr_.needs.store);
          ecr_.layers.put(tx, scope, repository + "@" + digest, {digest});
          tx.commit();
        } catch (const StoreError& error) {
          return done(not_stored(error.message));
        }
        done({.status = 201,
              .headers = {{"Location", "/v2/" + repository + "/blobs/" + digest}, {"Docker-Content-Digest", digest}}});
      });
}

void Registry::manifests(Call& call, const Done& done) {
  const std::string& method = call.request.method;
  if (method == "PUT") return put_manifest_request(call, done);
  if (method != "GET" && method != "HEAD") throw RegistryError{405, "UNSUPPORTED", "The operation is unsupported."};
  require(call, "BatchGetImage");
  const ImageRecord* image = find_image(ecr_, call.scope, call.repository, call.reference);
  if (image == nullptr) throw RegistryError{404, "MANIFEST_UNKNOWN", "Requested image not found"};
  HttpReply reply{.status = 200,
                  .headers = {{"Content-Type", image->media_type}, {"Docker-Content-Digest", image->digest}},
                  .body = Body::of(ecr_.needs.images.read(image->digest).value_or(""))};
  try {
    Tx tx(ecr_.needs.store);
    ecr_.images.modify(tx, call.scope, image->key(),
                       [&](ImageRecord& pulled) { pulled.pulled_at = ecr_.needs.clock.now(); });
    tx.commit();
  } catch (const StoreError& error) {
    log::warning("ecr", "a pull is not noted: " + error.message);  // a full disk: reads go on
  }
  done(std::move(reply));
}

void Registry::put_manifest_request(Call& call, const Done& done) {
  require(call, "PutImage");
  std::string manifest = std::move(call.request.body.bytes);
  if (call.request.body.spool) manifest = read_body(call.request.body);
  const bool by_digest = call.reference.starts_with("sha256:");
  if (by_digest && call.reference != "sha256:" + to_hex(sha256(manifest)))
    throw RegistryError{400, "DIGEST_INVALID", "provided digest did not match uploaded content"};
  Tx tx(ecr_.needs.store);
  std::string digest;
  try {
    digest = put_manifest(ecr_, tx, call.scope, call.repository, manifest,
                          std::string(call.request.header("Content-Type")), by_digest ? std::string() : call.reference)
                 .digest;
  } catch (const AwsError& error) {
    if (error.code == "ImageTagAlreadyExistsException") throw RegistryError{400, "TAG_INVALID", error.message};
    if (error.code == "LayersNotFoundException") throw RegistryError{400, "MANIFEST_BLOB_UNKNOWN", error.message};
    throw;
  }
  tx.commit();
  done({.status = 201,
        .headers = {{"Location", "/v2/" + call.repository + "/manifests/" + digest},
                    {"Docker-Content-Digest", digest}}});
}

void Registry::tags(Call& call, const Done& done) {
  require(call, "ListImages");
  std::vector<std::string> names;
  ecr_.images.for_each(call.scope, [&](const ImageRecord& image) {
    if (image.repository == call.repository) names.insert(names.end(), image.tags.begin(), image.tags.end());
  });
  std::ranges::sort(names);
  json::array list;
  for (const std::string& name : names) list.emplace_back(name);
  done({.status = 200,
        .headers = {{"Content-Type", "application/json"}},
        .body = Body::of(json::serialize(json::object{{"name", call.repository}, {"tags", std::move(list)}}))});
}

void Registry::drop_stale_uploads() {
  const Time now = ecr_.needs.clock.now();
  std::erase_if(uploads_, [&](const auto& entry) { return entry.second.touched + kUploadsStay < now; });
}

}  // namespace brume::ecr
