// The content-addressed store of image blobs, shared by the registry (ECR) and the containers plane. A blob is a file
// named by its sha256; layers are unpacked once into directories. Thread-safe where it says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_body.h"
#include "core/runtime.h"

namespace brume {
class Keeper;
}

namespace brume::containers {

struct ImageConfig {
  std::vector<std::string> entry_point, command, environment;
  std::string directory, user, stop_signal;
  std::string architecture, os;
  std::vector<std::string> health_check;  // as in the image: {"CMD-SHELL", …}
};

struct Image {
  std::string digest;               // of the manifest
  std::vector<std::string> layers;  // digests, lowest first
  ImageConfig config;
};

// What is meant by somebody outside this store: manifests, with all that they name, and single blobs.
struct ImageRoots {
  std::set<std::string> manifests, blobs;
};

class Images {
 public:
  virtual ~Images() = default;

  // Blobs. Any thread.
  virtual bool has(const std::string& digest) const = 0;
  virtual std::optional<std::uint64_t> size(const std::string& digest) const = 0;
  virtual std::string path(const std::string& digest) const = 0;
  virtual std::optional<std::string> read(const std::string& digest) const = 0;  // small blobs: manifests, configs
  // Takes the received body in; false when its sha256 is not the digest. A body in a file may take long.
  virtual bool put(const std::string& digest, Body body) = 0;
  virtual std::string put_text(const std::string& text) = 0;  // returns the digest
  virtual void remove(const std::string& digest) = 0;

  // Makes the image of a manifest (an index is resolved to linux/amd64) ready to run: every blob present and verified,
  // every layer unpacked. Runs on a worker; `done` on the control thread with the image, or an error that says which
  // layer or member is at fault.
  virtual void prepare(const std::string& manifest_digest,
                       std::function<void(std::optional<Image>, std::string error)> done) = 0;
  // Fetches an image of a foreign registry with skopeo into this store (never a name of AWS). The error is the pull's
  // own.
  virtual void pull(const std::string& reference,
                    std::function<void(std::string manifest_digest, std::string error)> done) = 0;
  // Takes in a docker or OCI archive; `reference` names it from now on, so that pull finds it offline.
  virtual void load_archive(const std::string& file, const std::string& reference,
                            std::function<void(std::string manifest_digest, std::string error)> done) = 0;
  // The directory of a layer that prepare() has unpacked. Any thread.
  virtual std::string layer_path(const std::string& digest) const = 0;
  // Removes the blobs and layers that neither the roots nor the names of pulled and loaded images need; `roots` is
  // asked later, when what is there has been listed. False, with nothing done, while an image is fetched, loaded or
  // made ready: what it brings belongs to nobody yet.
  virtual bool collect(std::function<ImageRoots()> roots) = 0;
};

struct ImagesOptions {
  std::string directory;  // STATE/images
  // Where pulls run: a network namespace that reaches the real internet, and the resolv.conf that is right inside it.
  // Empty: there is none (--offline), and only images that were loaded or pulled before are found.
  std::string network_namespace, resolv_conf;
  // True for registries that pulls must never ask: the names of AWS.
  std::function<bool(std::string_view host)> is_refused_host;
  bool synced = false;  // what is stored survives a power cut: --durable
};
// Called on the control thread where not said otherwise. Outlives its workers' jobs.
std::unique_ptr<Images> make_images(ImagesOptions options, Keeper& keeper, Workers& workers, Control& control);

}  // namespace brume::containers
