// 169.254.170.2 inside a task: the task metadata endpoint (versions 3 and 4) and the task role's credentials. Who asks
// is known by the source address, so a task gets its own answers only.
#pragma once

#include <map>
#include <string>

#include "services/ecs/ecs.h"

namespace brume::ecs {

class MetadataHandler final : public HttpHandler {
 public:
  explicit MetadataHandler(Ecs& ecs) : ecs_(ecs) {}
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override;

 private:
  struct Asker {
    Scope scope;
    const TaskRecord* task = nullptr;
  };
  Asker find_asker(const std::string& vpc, const std::string& address) const;
  HttpReply credentials(const Asker& asker, const std::string& id);
  void stats(const Asker& asker, std::vector<std::string> names, bool single, std::function<void(HttpReply)> done);

  Ecs& ecs_;
  // Sessions that were given out, by task: given again until they are near their end.
  std::map<std::string, Roles::SessionKeys> sessions_;
};

}  // namespace brume::ecs
