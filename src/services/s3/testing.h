// A world for S3's unit tests: handlers called as the dispatcher calls them, without threads. Tests only.
#pragma once

#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/testing.h"
#include "core/text.h"
#include "services/s3/s3.h"

namespace brume::s3 {

struct World {
  explicit World(std::unique_ptr<Store> with_store = memory_store(), const Authorizer* with_authorizer = nullptr,
                 const std::string& at = {})
      : place(at.empty() ? directory.path() : at), store(std::move(with_store)), authorizer(with_authorizer) {
    open();
  }

  // As a new process would: everything in memory is gone.
  void open() {
    s3.reset();
    s3.emplace(
        S3Needs{*store, runtime.clock, *random, runtime.control, runtime.workers, place + "/bodies", authorizer, true});
    s3->start();
    runtime.run();
  }

  RequestContext context() const {
    RequestContext context;
    context.scope = {account, region};
    context.principal.kind = Principal::Kind::root;
    context.principal.account = account;
    context.principal.arn = "arn:aws:iam::" + account + ":root";
    context.request_id = "request";
    context.now = runtime.clock.now();
    context.host = "s3." + region + ".amazonaws.com";
    context.endpoint = "https://s3." + region + ".amazonaws.com";
    return context;
  }

  template <class Output, class Input>
  Output operator()(Output (*handler)(S3&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store);
    Output output = handler(*s3, tx, Request<Input>(context(), input));
    tx.commit();
    runtime.run();
    return output;
  }

  // Runs until the answer is there.
  template <class Output, class Input>
  Output operator()(void (*handler)(S3&, Tx&, const Request<Input>&, Deferred<Output>), const Input& input) {
    std::optional<Output> output = start(handler, input)();
    return std::move(*output);
  }

  // Starts the request; the function that is returned runs the world and gives the answer.
  template <class Output, class Input>
  std::function<std::optional<Output>()> start(void (*handler)(S3&, Tx&, const Request<Input>&, Deferred<Output>),
                                               const Input& input) {
    struct Answer {
      std::optional<Output> output;
      std::optional<AwsError> error;
    };
    auto answer = std::make_shared<Answer>();
    Tx tx(*store);
    handler(*s3, tx, Request<Input>(context(), input),
            Deferred<Output>([answer](Output output) { answer->output = std::move(output); },
                             [answer](const AwsError& error) { answer->error = error; }));
    tx.commit();
    return [this, answer]() -> std::optional<Output> {
      runtime.run();
      if (answer->error) throw AwsError(*answer->error);
      if (!answer->output) throw AwsError("Unanswered", "the request was not answered");
      return std::move(answer->output);
    };
  }

  // The bytes that a client would get.
  static std::string bytes_of(const Body& body) {
    if (body.file.empty()) return body.bytes;
    std::ifstream file(body.file, std::ios::binary);
    std::string bytes(body.size, '\0');
    file.seekg(static_cast<std::streamoff>(body.offset));
    file.read(bytes.data(), static_cast<std::streamsize>(body.size));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
  }

  // A body as the front receives it; over `spool_above` bytes in a file.
  Body received(const std::string& text, std::optional<DigestKind> checksum = std::nullopt,
                std::size_t spool_above = 64 << 10) {
    Body body = Body::of(text);
    body.md5 = md5(text);
    body.sha256 = sha256(text);
    if (checksum == DigestKind::crc32) body.crc32 = digest_of(*checksum, text);
    if (checksum == DigestKind::crc32c) body.crc32c = digest_of(*checksum, text);
    if (checksum == DigestKind::crc64nvme) body.crc64nvme = digest_of(*checksum, text);
    if (checksum == DigestKind::sha1) body.sha1 = digest_of(*checksum, text);
    if (text.size() > spool_above) {
      const std::string path = place + "/spool" + std::to_string(++spooled);
      std::ofstream(path, std::ios::binary) << text;
      body.bytes.clear();
      body.spool = std::make_shared<SpoolFile>(path);
    }
    return body;
  }

  // Every body that is kept: files on disk, and the small ones in the store.
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    const Keyspace small(*store, "s3.body");
    small.scan(*store->snapshot(), {}, {}, [&](std::string_view id, std::string_view) {
      found.emplace_back(id);
      return true;
    });
    if (!std::filesystem::exists(place + "/bodies")) return found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place + "/bodies")) {
      if (entry.is_regular_file()) found.push_back(entry.path().filename().string());
    }
    return found;
  }

  // Shorthands for what most tests begin with.
  void create_bucket(const std::string& name, const std::string& versioning = {});
  PutObjectOutput put(const std::string& bucket, const std::string& key, const std::string& text);
  std::string get(const std::string& bucket, const std::string& key, const std::string& version_id = {});

  std::string account = "000000000000";
  std::string region = "eu-west-1";
  ManualRuntime runtime;
  TemporaryDirectory directory;
  std::string place;
  std::unique_ptr<Store> store;
  std::unique_ptr<Random> random = seeded_random(1);
  const Authorizer* authorizer;
  std::optional<S3> s3;
  int spooled = 0;
};

inline void World::create_bucket(const std::string& name, const std::string& versioning) {
  CreateBucketInput create;
  create.bucket = name;
  if (region != "us-east-1") create.create_bucket_configuration.emplace().location_constraint = region;
  (*this)(s3::create_bucket, create);
  if (versioning.empty()) return;
  PutBucketVersioningInput configure;
  configure.bucket = name;
  configure.versioning_configuration.emplace().status = versioning;
  (*this)(put_bucket_versioning, configure);
}

inline PutObjectOutput World::put(const std::string& bucket, const std::string& key, const std::string& text) {
  PutObjectInput input;
  input.bucket = bucket;
  input.key = key;
  input.body = received(text);
  return (*this)(put_object, input);
}

inline std::string World::get(const std::string& bucket, const std::string& key, const std::string& version_id) {
  GetObjectInput input;
  input.bucket = bucket;
  input.key = key;
  if (!version_id.empty()) input.version_id = version_id;
  return bytes_of(*(*this)(get_object, input).body);
}

// The code of the error that `act` throws; "none" when it throws none.
template <class Act>
std::string error_code(const Act& act) {
  try {
    act();
  } catch (const AwsError& error) {
    return error.code;
  }
  return "none";
}

}  // namespace brume::s3
