// Gives back the disk space of images that nobody means any more: not the registry, no task that has not stopped, and
// no name that was pulled or loaded. Owned by the cloud; control thread.
#pragma once

#include "core/runtime.h"
#include "planes/containers/images.h"
#include "services/ecr/ecr.h"
#include "services/ecs/ecs.h"

namespace brume::app {

class ImageGarbage {
 public:
  ImageGarbage(Control& control, const Clock& clock, const ecr::Ecr& ecr, const ecs::Ecs& ecs,
               containers::Images& images)
      : control_(control), clock_(clock), ecr_(ecr), ecs_(ecs), images_(images) {}

  // From now on: at once, hourly (for what tasks let go), and when asked.
  void start();
  // Soon, never inside this call.
  void collect();

 private:
  containers::ImageRoots roots() const;
  void collect_at(Duration from_now);

  Control& control_;
  const Clock& clock_;
  const ecr::Ecr& ecr_;
  const ecs::Ecs& ecs_;
  containers::Images& images_;
  bool started_ = false;
};

}  // namespace brume::app
