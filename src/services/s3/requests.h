// What the operations share about a request: its bucket and who may use it, refusals by name, answers given later.
// Control thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "aws/request.h"
#include "core/deferred.h"
#include "services/s3/body_jobs.h"
#include "services/s3/s3.h"

namespace brume::s3 {

// Throws NoSuchBucket, PermanentRedirect for another region's endpoint, AccessDenied for another owner than expected.
const BucketRecord& require_bucket(const S3& s3, const RequestContext& context, const opt<std::string>& name,
                                   const opt<std::string>& expected_owner);
template <class Input>
const BucketRecord& require_bucket(const S3& s3, const Request<Input>& request) {
  return require_bucket(s3, request, request.input.bucket, request.input.expected_bucket_owner);
}

template <class Change>
void change_bucket(S3& s3, Tx& tx, const BucketRecord& bucket, const Change& change) {
  BucketRecord copy = bucket;
  change(copy);
  s3.put_bucket(tx, std::move(copy));
}

// Throws AccessDenied. For what a template in models/served cannot ask.
void authorize(const S3& s3, const RequestContext& context, std::string_view action, const std::string& resource);
std::string object_arn(const BucketRecord& bucket, std::string_view key);

// Throws KeyTooLongError.
const std::string& require_key(const opt<std::string>& key);
// NoSuchKey for those who may list the bucket, AccessDenied for others, as S3 does.
AwsError missing_key(const S3& s3, const RequestContext& context, const BucketRecord& bucket, const std::string& key);

// "Brume does not serve …": 501, which no SDK repeats.
AwsError not_served(const std::string& what);

// The version id to show: none while versioning was never on.
opt<std::string> shown_version(const BucketRecord& bucket, const std::string& version_id);

// Gives what `make` returns, which adopts the new body file, or the error that it throws; then the file goes.
template <class Output, class Make>
void answer_with_body(S3& s3, const Deferred<Output>& deferred, const std::string& body, const Make& make) {
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): `make` may move the record that holds it
  const std::string id = body;
  const auto fail = [&](const AwsError& error) {
    s3.bodies.abandon({id});
    deferred.fail(error);
  };
  try {
    deferred.succeed(make());
  } catch (const AwsError& error) {
    fail(error);
  } catch (const StoreError& error) {
    fail(internal_error(error));
  }
}

// Runs `read` on a worker, which fills an Output from a snapshot, and answers with it.
template <class Output, class Read>
void answer_from_worker(S3& s3, const Deferred<Output>& deferred, Read read) {
  struct Work {
    Output output;
    std::optional<AwsError> problem;
  };
  auto work = std::make_shared<Work>();
  s3.needs.workers.run(
      [work, read = std::move(read)]() mutable {
        try {
          work->output = read();
        } catch (const AwsError& error) {
          work->problem = error;
        } catch (const StoreError& error) {
          work->problem = internal_error(error);
        }
      },
      [work, deferred] {
        if (work->problem) return deferred.fail(*work->problem);
        deferred.succeed(std::move(work->output));
      });
}

}  // namespace brume::s3
