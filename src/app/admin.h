// The admin socket: what the command line asks the daemon. JSON over HTTP on a unix socket of the owner's and root's.
#pragma once

#include <functional>
#include <string>

#include "aws/http.h"

namespace brume::app {

class Cloud;

class Admin final : public HttpHandler {
 public:
  explicit Admin(Cloud& cloud) : cloud_(cloud) {}
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override;
  // What POST /exit calls: the daemon ends, what runs in the cloud goes on.
  std::function<void()> on_exit;
  bool serving = false;  // the start is over

 private:
  using Done = std::function<void(HttpReply)>;
  void status(const Done& done);
  void logs(const HttpRequest& request, const Done& done);
  void audit(const HttpRequest& request, const Done& done);
  void why(const HttpRequest& request, const Done& done);
  void registry_token(const HttpRequest& request, const Done& done);
  void clock(const Done& done);
  void turn_clock(const HttpRequest& request, const Done& done);
  void load_image(const HttpRequest& request, const Done& done);
  Cloud& cloud_;
};

}  // namespace brume::app
