// Unpacking one layer, untrusted, into a directory that overlayfs can use as a lower one. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace brume::containers {

struct UnpackLimits {
  std::uint64_t bytes = 64ULL << 30U;
  std::uint64_t members = 4'000'000;
  // Once it is larger than `ratio_bytes`, content may be at most this many times the layer's own size: deflate reaches
  // 1032, so that only zeros and bombs come near it.
  std::uint64_t ratio = 500;
  std::uint64_t ratio_bytes = 1ULL << 30U;
};

// Unpacks the tar file (plain, gzip or zstd) into the empty directory and returns the digest of the file as it was
// read. Names are resolved inside the directory as inside a root: a leading slash and symbolic links cannot lead out of
// it. Throws PlaneError{permanent} naming the member for: "..", a hard link to what the layer does not hold, a device
// outside dev/, a name that is too long, content over the limits. Devices in dev/ and sockets are left out (a container
// has a dev/ of its own); whiteouts become overlayfs's.
std::string unpack_layer(const std::string& file, const std::string& directory, const UnpackLimits& limits = {});

}  // namespace brume::containers
