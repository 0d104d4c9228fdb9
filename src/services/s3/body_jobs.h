// What workers do with body files: write, copy, concatenate, digest. Blocking; any thread but the control and I/O ones.
// Failures come back as the error to answer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/error.h"
#include "core/file_body.h"

namespace brume::s3 {

struct Piece {
  std::string path;  // empty: `bytes` are the piece
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string bytes = {};
};

struct BodyJob {
  std::string target;               // the file to make; its folder is made when it is not there
  bool sync = false;                // survive power loss before it is referred to
  Body body;                        // received: in memory or spooled
  std::vector<Piece> pieces;        // instead of `body`
  std::vector<DigestKind> digests;  // of the whole, wanted
};

struct BodyResult {
  std::map<DigestKind, std::string> digests;  // raw
  std::optional<AwsError> problem;
};

// Makes the target out of the received body (a spooled file is renamed) or out of the pieces in their order.
BodyResult run_body_job(const BodyJob& job);

// The error for a failure that is not the client's.
AwsError internal_error(const std::exception& error);

}  // namespace brume::s3
