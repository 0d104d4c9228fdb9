// Bodies of several requests made into one. Runs on a worker.
#pragma once

#include <string>
#include <vector>

#include "core/file_body.h"

namespace brume::ecr {

// The bytes of all chunks in order, in a spool file at `path`, with its sha256. Throws PlaneError.
Body join_bodies(const std::vector<Body>& chunks, const std::string& path);
// The whole of a small body that was spooled.
std::string read_body(const Body& body);

}  // namespace brume::ecr
