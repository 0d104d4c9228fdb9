// Small HTTP services of the internet and of VPCs.
#pragma once

#include "aws/http.h"

namespace brume::app {

// checkip.amazonaws.com: says from which public address a request came.
class CheckIp final : public HttpHandler {
 public:
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override {
    done({.status = 200, .headers = {{"Content-Type", "text/plain"}}, .body = Body::of(request.peer_address + "\n")});
  }
};

// 169.254.169.254: there are no EC2 instances, and Fargate's tasks have no instance metadata.
class NoInstanceMetadata final : public HttpHandler {
 public:
  void handle(HttpRequest, std::function<void(HttpReply)> done) override {
    done({.status = 404,
          .headers = {{"Content-Type", "text/plain"}},
          .body = Body::of("There is no EC2 instance behind this address.\n")});
  }
};

}  // namespace brume::app
