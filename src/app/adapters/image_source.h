// Where tasks' images come from: ECR's own host names as the execution role, anything else by skopeo or from an
// archive.
#pragma once

#include "planes/containers/images.h"
#include "services/ecr/ecr.h"
#include "services/ecs/needs.h"

namespace brume::app {

class ImageSource final : public ecs::ImageSource {
 public:
  ImageSource(ecr::Ecr& ecr, containers::Images& images) : ecr_(ecr), images_(images) {}
  void pull(const Scope& scope, const std::string& reference, const std::optional<Principal>& execution,
            std::function<void(std::optional<Resolved>, std::string)> done) override;

 private:
  void prepare(const std::string& digest, std::function<void(std::optional<Resolved>, std::string)> done);
  ecr::Ecr& ecr_;
  containers::Images& images_;
};

}  // namespace brume::app
