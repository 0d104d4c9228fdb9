#include "core/file_body.h"

#include <unistd.h>

#include <cstdio>

#include "core/error.h"

namespace brume {

SpoolFile::~SpoolFile() {
  if (!kept_) ::unlink(path_.c_str());
}

void SpoolFile::keep_as(const std::string& destination) {
  if (std::rename(path_.c_str(), destination.c_str()) != 0) throw_errno("rename " + path_ + " to " + destination);
  path_ = destination;
  kept_ = true;
}

}  // namespace brume
