// A request for a handler of plain HTTP: the registry, metadata endpoints, the admin socket.
#pragma once

#include <memory>
#include <string>

#include "aws/http.h"
#include "front/dispatch/environment.h"
#include "front/dispatch/host.h"
#include "front/http/exchange.h"

namespace brume::front {

// Whether it carries a signature of AWS's, right or wrong.
bool is_signed_for_aws(const http::RequestHead& head);

// Receives the body and hands the request to `handler` on the control thread. I/O thread.
void call_handler(std::shared_ptr<Environment> environment, HttpHandler& handler,
                  std::shared_ptr<http::Exchange> exchange, const HostRoute& host, const std::string& vpc);

}  // namespace brume::front
