// A request for a load balancer's name: passed into its namespace as raw bytes.
#pragma once

#include <memory>
#include <string>

#include "front/dispatch/host.h"
#include "front/http/exchange.h"
#include "front/relay.h"

namespace brume::front {

// I/O thread.
void relay_request(Relay& relay, std::shared_ptr<http::Exchange> exchange, const HostRoute& host);

// The head as it goes to the load balancer: as it came, but for one request only, so that the next one on the client's
// connection is routed by its own Host header. A connection that is to be upgraded stays as it is.
std::string relayed_head(const http::RequestHead& head);

// A page for a person.
HttpReply relay_failure(const std::string& host, int status, const std::string& error);

}  // namespace brume::front
