// Does what lifecycle rules say, once a cloud day at midnight UTC and at each start: a worker reads a bucket's index
// and finds what is due, the control thread does it piece by piece. Owned by S3; control thread.
#pragma once

#include <memory>
#include <string>

#include "core/runtime.h"

namespace brume::s3 {

struct S3;

class LifecycleRunner {
 public:
  explicit LifecycleRunner(S3& s3) : s3_(s3) {}
  void start();

 private:
  struct Batch;
  void run_all();
  // Goes on after the key `after`.
  void run_bucket(const std::string& bucket, const std::string& incarnation, const std::string& after);
  void apply(const Batch& batch);
  void abort_uploads(const std::string& bucket, const std::string& incarnation);
  S3& s3_;
};

}  // namespace brume::s3
