// The services that this daemon serves, and which of them a request means. Filled before the server starts, then only
// read: I/O thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "front/dispatch/host.h"
#include "front/http/head.h"
#include "front/protocols/catalogue.h"
#include "front/protocols/protocol.h"
#include "front/sigv4/canonical.h"

namespace brume::front {

struct ServedService {
  const model::Service* model = nullptr;
  model::Handlers handlers;
  void* object = nullptr;  // the service object that the handlers take
};

// Where a request goes. Neither set: its Action, which is in the body, decides.
struct Target {
  const ServedService* served = nullptr;
  std::vector<const protocols::KnownService*> known;  // services of AWS that are not served here
};

class Services {
 public:
  void add(const ServedService& service) { services_.push_back(service); }
  const ServedService* by_id(std::string_view id) const;

  // By credential scope, X-Amz-Target, host and path, in that order; the host overrides a scope that names another
  // service than it does, so that the signature is refused in that service's words.
  Target find(const http::RequestHead& head, const HostRoute& host,
              const std::optional<sigv4::CredentialScope>& scope) const;
  // By the Action and Version of a query request.
  Target find_by_action(const protocols::WireRequest& request) const;
  // When a query request's Version is another than the service's, and another of AWS's services with the same signing
  // name has the operation, then that one is meant: Elastic Load Balancing has two APIs. Empty: it is the service.
  std::vector<const protocols::KnownService*> meant_instead(const model::Service& service,
                                                            const protocols::WireRequest& request) const;

 private:
  const ServedService* by_target(std::string_view prefix) const;
  const ServedService* by_endpoint(std::string_view prefix) const;
  const ServedService* by_signing_name(std::string_view name) const;

  std::vector<ServedService> services_;
};

}  // namespace brume::front
