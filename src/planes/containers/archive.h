// Taking in image archives: what `docker save`, `podman save` and `skopeo copy … oci-archive:` write, and the directory
// that `skopeo copy … dir:` writes. Any thread.
#pragma once

#include <string>

#include "planes/containers/blobs.h"

namespace brume::containers {

// The digest of the manifest of the archive's image. When it holds several, `name` picks one by its tag. Throws
// PlaneError{permanent} naming what is missing or does not match its digest.
std::string import_archive(Blobs& blobs, const std::string& file, const std::string& name);
std::string import_directory(Blobs& blobs, const std::string& directory);

}  // namespace brume::containers
