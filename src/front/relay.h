// What the front door needs to pass a request on to a load balancer, so that a browser or curl on the host sees what
// Brume's clients see. Implemented by app over the network plane.
#pragma once

#include <functional>
#include <string>

namespace brume {

class Relay {
 public:
  virtual ~Relay() = default;
  struct Result {
    int fd = -1;  // a connected socket inside the right namespace, given away; -1: there is none, see below
    // 502: the load balancer does not answer; 503: there is none of that name, or it has no listener there.
    int status = 502;
    std::string error;  // a sentence for a person
  };
  // `host` is the host name that was asked for, lower case and without the port: "NAME.elb.localhost" or a load
  // balancer's DNS name. Called on the I/O thread and must not block; `done` is called once, on any thread.
  virtual void dial(const std::string& host, std::function<void(Result)> done) = 0;
};

}  // namespace brume
