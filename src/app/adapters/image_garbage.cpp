#include "app/adapters/image_garbage.h"

namespace brume::app {
namespace {

constexpr Duration kOftenEnough = hours(1), kAfterAPull = seconds(5);

}  // namespace

void ImageGarbage::start() {
  started_ = true;
  collect();
  control_.at(clock_.now() + kOftenEnough, [this] { start(); });
}

void ImageGarbage::collect() {
  if (started_) collect_at({});
}

void ImageGarbage::collect_at(Duration from_now) {
  control_.at(clock_.now() + from_now, [this] {
    // While an image is fetched or unpacked nobody knows yet whose its parts will be.
    if (!images_.collect([this] { return roots(); })) collect_at(kAfterAPull);
  });
}

containers::ImageRoots ImageGarbage::roots() const {
  containers::ImageRoots roots;
  ecr_.images.for_all([&](const auto&, auto, const ecr::ImageRecord& image) {
    roots.blobs.insert(image.digest);
    roots.blobs.insert(image.blobs.begin(), image.blobs.end());
  });
  ecr_.layers.for_all([&](const auto&, auto, const ecr::LayerRecord& layer) { roots.blobs.insert(layer.digest); });
  roots.blobs.insert(ecr_.storing.begin(), ecr_.storing.end());
  ecs_.tasks.for_all([&](const auto&, auto, const ecs::TaskRecord& task) {
    if (task.last_status == "STOPPED") return;
    for (const ecs::ContainerRecord& container : task.containers)
      if (!container.image_digest.empty()) roots.manifests.insert(container.image_digest);
  });
  return roots;
}

}  // namespace brume::app
