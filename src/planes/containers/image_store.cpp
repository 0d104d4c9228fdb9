#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "planes/containers/archive.h"
#include "planes/containers/blobs.h"
#include "planes/containers/images.h"
#include "planes/containers/layers.h"
#include "planes/containers/manifest.h"
#include "planes/containers/program_error.h"
#include "planes/containers/reference.h"
#include "planes/keeper/keeper.h"

namespace brume::containers {
namespace {

using Prepared = std::function<void(std::optional<Image>, std::string error)>;
using Found = std::function<void(std::string manifest_digest, std::string error)>;

constexpr std::int64_t kPullTimeoutMs = 15 * 60 * 1000;
constexpr std::int64_t kInspectTimeoutMs = 60 * 1000;

class ImageStore final : public Images {
 public:
  ImageStore(ImagesOptions options, Keeper& keeper, Workers& workers, Control& control)
      : options_(std::move(options)),
        keeper_(keeper),
        workers_(workers),
        control_(control),
        blobs_(options_.directory + "/blobs", options_.synced),
        layers_(options_.directory + "/layers", {}, options_.synced),
        references_(options_.directory + "/references.json") {
    BRUME_CHECK(options_.is_refused_host != nullptr);
    std::filesystem::remove_all(options_.directory + "/pulls");
    std::filesystem::create_directories(options_.directory + "/pulls");
  }

  bool has(const std::string& digest) const override { return blobs_.has(digest); }
  std::optional<std::uint64_t> size(const std::string& digest) const override { return blobs_.size(digest); }
  std::string path(const std::string& digest) const override { return blobs_.path(digest); }
  std::optional<std::string> read(const std::string& digest) const override { return blobs_.read(digest); }
  bool put(const std::string& digest, Body body) override { return blobs_.put(digest, body); }
  std::string put_text(const std::string& text) override { return blobs_.put_text(text); }
  void remove(const std::string& digest) override { blobs_.remove(digest); }
  std::string layer_path(const std::string& digest) const override { return layers_.path(digest); }

  bool collect(std::function<ImageRoots()> roots) override;

  void prepare(const std::string& manifest_digest, Prepared done) override;
  void pull(const std::string& reference, Found done) override;
  void load_archive(const std::string& file, const std::string& reference, Found done) override;

 private:
  Image prepare_now(const std::string& manifest_digest);
  bool is_busy() const;
  std::set<std::string> needed(const ImageRoots& roots) const;
  void sweep(const std::vector<std::string>& blobs, const std::vector<std::string>& layers, const ImageRoots& roots);
  void pull_from_registry(const Reference& reference, Found done);
  void look_again(const Reference& reference, const std::string& known, Found done);
  void copy(const Reference& reference, Found done);
  void take_in(const std::string& directory, Found done);
  RunSpec skopeo(std::vector<std::string> arguments) const;
  // The manifest that a raw one of a registry means here, if this store holds it whole.
  std::optional<std::string> held(const std::string& raw_manifest);
  bool is_whole(const std::string& manifest_digest) const;

  const ImagesOptions options_;
  Keeper& keeper_;
  Workers& workers_;
  Control& control_;
  Blobs blobs_;
  Layers layers_;
  References references_;
  std::map<std::string, Image> prepared_;                 // by the digest that was asked for
  std::map<std::string, std::vector<Prepared>> waiting_;  // prepares that run
  std::map<std::string, std::vector<Found>> pulling_;     // by reference
  std::uint64_t pulls_ = 0;
  std::size_t loads_ = 0;  // archives that are being taken in
};

// Runs on a worker.
Image ImageStore::prepare_now(const std::string& manifest_digest) {
  const auto blob = [this](const std::string& digest, const char* what) {
    auto text = blobs_.read(digest);
    if (!text) throw PlaneError(PlaneError::Kind::not_found, std::string("The store has no ") + what + " " + digest);
    return std::move(*text);
  };
  Image image;
  image.digest = manifest_digest;
  std::string document = blob(image.digest, "manifest");
  if (is_index(document)) {
    image.digest = resolve_index(document);
    document = blob(image.digest, "manifest");
  }
  const Manifest manifest = parse_manifest(document);
  image.config = parse_config(blob(manifest.config.digest, "image config"));
  if (!image.config.architecture.empty() && image.config.architecture != "amd64") {
    throw PlaneError(PlaneError::Kind::permanent, "The image is for " + image.config.os + "/" +
                                                      image.config.architecture + ", this machine runs linux/amd64");
  }
  for (const Descriptor& layer : manifest.layers) {
    if (!layers_.has(layer.digest) && !blobs_.has(layer.digest)) {
      throw PlaneError(PlaneError::Kind::not_found, "The store has no layer " + layer.digest);
    }
    layers_.ensure(layer.digest, blobs_.path(layer.digest));
    image.layers.push_back(layer.digest);
  }
  return image;
}

void ImageStore::prepare(const std::string& manifest_digest, Prepared done) {
  if (const auto ready = prepared_.find(manifest_digest); ready != prepared_.end()) {
    control_.post([done = std::move(done), image = ready->second] { done(image, ""); });
    return;
  }
  std::vector<Prepared>& waiting = waiting_[manifest_digest];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) return;
  struct Result {
    std::optional<Image> image;
    std::string error;
  };
  auto result = std::make_shared<Result>();  // shared: between the worker and the control thread, in turn
  workers_.run(
      [this, manifest_digest, result] {
        try {
          result->image = prepare_now(manifest_digest);
        } catch (const std::exception& error) {
          result->error = error.what();
        }
      },
      [this, manifest_digest, result] {
        if (result->image) prepared_[manifest_digest] = *result->image;
        for (const Prepared& waiter : waiting_.extract(manifest_digest).mapped()) waiter(result->image, result->error);
      });
}

void ImageStore::pull(const std::string& text, Found done) {
  const auto answer = [this, done](const std::string& digest, const std::string& error) {
    control_.post([done, digest, error] { done(digest, error); });
  };
  try {
    const Reference reference = parse_reference(text);
    const std::string name = to_string(reference);
    if (const KnownImage* known = references_.find(name); known != nullptr && known->loaded) {
      return answer(known->digest, "");
    }
    if (!reference.digest.empty() && is_whole(reference.digest)) return answer(reference.digest, "");
    const std::string host = reference.host.substr(0, reference.host.find(':'));
    if (options_.is_refused_host(host)) {
      return answer("", host + " is a name of AWS, which is never asked; load the image with `brume image load`");
    }
    std::vector<Found>& waiting = pulling_[name];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1) return;
    pull_from_registry(reference, [this, name](const std::string& digest, const std::string& error) {
      if (!digest.empty()) references_.put(name, {digest, false});
      for (const Found& waiter : pulling_.extract(name).mapped()) waiter(digest, error);
    });
  } catch (const PlaneError& error) {
    answer("", error.message);
  }
}

// The agent's default (ECS_IMAGE_PULL_BEHAVIOR, "Amazon ECS container agent configuration"): the registry is asked each
// time, and the image that is here already serves when it cannot be.
void ImageStore::pull_from_registry(const Reference& reference, Found done) {
  const KnownImage* known = references_.find(to_string(reference));
  const std::string here = known != nullptr && is_whole(known->digest) ? known->digest : "";
  if (options_.network_namespace.empty()) {
    const std::string error = here.empty() ? "There is no way to the internet (offline), and " + to_string(reference) +
                                                 " was not loaded with `brume image load`"
                                           : "";
    control_.post([done = std::move(done), here, error] { done(here, error); });
  } else if (here.empty()) {
    copy(reference, std::move(done));
  } else {
    look_again(reference, here, std::move(done));
  }
}

RunSpec ImageStore::skopeo(std::vector<std::string> arguments) const {
  RunSpec spec;
  spec.arguments = {"skopeo", "--insecure-policy", "--override-os=linux", "--override-arch=amd64"};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  const std::string directory = options_.directory + "/pulls";
  spec.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + directory,
                      "TMPDIR=" + directory};
  spec.network_namespace = options_.network_namespace;
  if (!options_.resolv_conf.empty()) spec.binds.push_back({options_.resolv_conf, "/etc/resolv.conf", true});
  spec.output_limit_bytes = 4ULL << 20U;
  return spec;
}

void ImageStore::look_again(const Reference& reference, const std::string& known, Found done) {
  RunSpec spec = skopeo({"inspect", "--no-creds", "--raw", "docker://" + to_string(reference)});
  spec.timeout_ms = kInspectTimeoutMs;
  keeper_.run(spec, [this, reference, known, done = std::move(done)](const RunResult& result) {
    if (result.code != 0) return done(known, "");
    if (const auto digest = held(result.out)) return done(*digest, "");
    copy(reference, done);
  });
}

void ImageStore::copy(const Reference& reference, Found done) {
  Reference remote = reference;
  if (!remote.digest.empty()) remote.tag.clear();  // skopeo takes one of the two
  const std::string directory = options_.directory + "/pulls/" + std::to_string(++pulls_);
  RunSpec spec = skopeo({"copy", "--src-no-creds", "docker://" + to_string(remote), "dir:" + directory});
  spec.timeout_ms = kPullTimeoutMs;
  keeper_.run(spec, [this, reference, directory, done = std::move(done)](const RunResult& result) {
    if (result.code == 0) return take_in(directory, done);
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    if (result.timed_out) return done("", "The pull of " + to_string(reference) + " took longer than 15 minutes");
    done("", result.error.empty() ? program_error(result.err) : result.error);
  });
}

void ImageStore::take_in(const std::string& directory, Found done) {
  struct Result {
    std::string digest, error;
  };
  auto result = std::make_shared<Result>();
  workers_.run(
      [this, directory, result] {
        try {
          result->digest = import_directory(blobs_, directory);
        } catch (const std::exception& error) {
          result->error = error.what();
        }
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
      },
      [result, done = std::move(done)] { done(result->digest, result->error); });
}

std::optional<std::string> ImageStore::held(const std::string& raw_manifest) {
  try {
    const std::string digest =
        is_index(raw_manifest) ? resolve_index(raw_manifest) : "sha256:" + to_hex(sha256(raw_manifest));
    return is_whole(digest) ? std::optional(digest) : std::nullopt;
  } catch (const PlaneError&) {
    return std::nullopt;
  }
}

bool ImageStore::is_whole(const std::string& manifest_digest) const {
  try {
    const auto document = blobs_.read(manifest_digest);
    if (!document) return false;
    if (is_index(*document)) return is_whole(resolve_index(*document));
    const Manifest manifest = parse_manifest(*document);
    if (!blobs_.has(manifest.config.digest)) return false;
    return std::ranges::all_of(manifest.layers, [this](const Descriptor& layer) {
      return blobs_.has(layer.digest) || layers_.has(layer.digest);
    });
  } catch (const PlaneError&) {
    return false;
  }
}

void ImageStore::load_archive(const std::string& file, const std::string& reference, Found done) {
  struct Result {
    std::string digest, error;
  };
  auto result = std::make_shared<Result>();
  ++loads_;
  workers_.run(
      [this, file, reference, result] {
        try {
          parse_reference(reference);
          result->digest = import_archive(blobs_, file, reference);
          if (!is_whole(result->digest)) {
            result->digest.clear();
            result->error = "The archive lacks parts of its image";
          }
        } catch (const std::exception& error) {
          result->error = error.what();
        }
      },
      [this, reference, result, done = std::move(done)] {
        --loads_;
        if (result->error.empty()) references_.put(to_string(parse_reference(reference)), {result->digest, true});
        done(result->digest, result->error);
      });
}

bool ImageStore::is_busy() const { return !waiting_.empty() || !pulling_.empty() || loads_ > 0; }

bool ImageStore::collect(std::function<ImageRoots()> roots) {
  if (is_busy()) return false;
  struct Found {
    std::vector<std::string> blobs, layers;
  };
  auto found = std::make_shared<Found>();  // between the worker and the control thread, in turn
  workers_.run(
      [this, found] {
        found->blobs = blobs_.all();
        found->layers = layers_.all();
      },
      [this, found, roots = std::move(roots)] {
        // What has begun meanwhile ends with a release of its own, or waits for the next collection.
        if (!is_busy()) sweep(found->blobs, found->layers, roots());
      });
  return true;
}

std::set<std::string> ImageStore::needed(const ImageRoots& roots) const {
  std::set<std::string> digests = roots.blobs;
  std::vector<std::string> manifests(roots.manifests.begin(), roots.manifests.end());
  for (const auto& [name, known] : references_.all()) manifests.push_back(known.digest);
  while (!manifests.empty()) {
    const std::string digest = manifests.back();
    manifests.pop_back();
    digests.insert(digest);
    try {
      const std::string document = blobs_.read(digest).value_or("");
      if (is_index(document)) {
        manifests.push_back(resolve_index(document));
        continue;
      }
      const Manifest manifest = parse_manifest(document);
      digests.insert(manifest.config.digest);
      for (const Descriptor& layer : manifest.layers) digests.insert(layer.digest);
    } catch (const PlaneError&) {
      // It is gone or no manifest: it names nothing.
    }
  }
  return digests;
}

void ImageStore::sweep(const std::vector<std::string>& blobs, const std::vector<std::string>& layers,
                       const ImageRoots& roots) {
  const std::set<std::string> kept = needed(roots);
  std::vector<std::string> gone;
  for (const std::string& digest : blobs) {
    if (!kept.contains(digest)) gone.push_back(blobs_.take_away(digest));
  }
  for (const std::string& digest : layers) {
    if (!kept.contains(digest)) gone.push_back(layers_.take_away(digest));
  }
  std::erase_if(prepared_, [&](const auto& entry) { return !kept.contains(entry.second.digest); });
  if (gone.empty()) return;
  log::info("images", "removing " + std::to_string(gone.size()) + " blobs and layers that nothing needs");
  workers_.run(
      [gone = std::move(gone)] {
        std::error_code ignored;  // what stays is removed at the next start
        for (const std::string& path : gone) std::filesystem::remove_all(path, ignored);
      },
      [] {});
}

}  // namespace

std::unique_ptr<Images> make_images(ImagesOptions options, Keeper& keeper, Workers& workers, Control& control) {
  return std::make_unique<ImageStore>(std::move(options), keeper, workers, control);
}

}  // namespace brume::containers
