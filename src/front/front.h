// The front door: HTTP and TLS, signatures, AWS's protocols, authorization, dispatch. Made by app, which gives it the
// services' handlers and the interfaces it works with; all of them must outlive it. One I/O thread of its own; handlers
// and raw handlers are called on the control thread, which must have stopped before the door is destroyed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aws/audit.h"
#include "aws/authorization.h"
#include "aws/http.h"
#include "core/backlog.h"
#include "core/model.h"
#include "core/random.h"
#include "core/runtime.h"
#include "core/time.h"
#include "front/certificates.h"
#include "front/cross_origin.h"
#include "front/dispatch/statistics.h"
#include "front/http/limits.h"
#include "front/relay.h"
#include "store/store.h"

namespace brume {

class Turns;

struct FrontOptions {
  std::string spool_directory;               // made if missing; on the file system where object bodies are kept
  std::string default_region = "us-east-1";  // of requests that name none
  http::Limits limits = {};
};

// The interfaces that the door works with.
struct FrontNeeds {
  Clock& clock;
  Random& random;
  Control& control;
  Store& store;
  const Credentials& credentials;
  const Authorizer& authorizer;
  AuditSink& audit;
  CertificateSource* certificates = nullptr;                       // null: no TLS
  Relay* relay = nullptr;                                          // null: load balancers' names are not relayed
  const CrossOrigin* cross_origin = nullptr;                       // null: no bucket allows other origins
  Turns* turns = nullptr;                                          // of `control`; null: every request is posted
  std::shared_ptr<Backlog> backlog = std::make_shared<Backlog>();  // shared with the workers
};

struct Listening {
  std::string label;               // shows in HttpRequest::listener; stop_listening() goes by it
  HttpHandler* handler = nullptr;  // everything that comes in goes to it; null: AWS's API, the registry, the relay
  bool tls = false;                // connections may be TLS or plain, told by their first byte
  std::string vpc;                 // the VPC in whose namespace the socket is
  // The services that answer there ("s3"), and then nothing else does; empty: all.
  std::vector<std::string> services;
  std::size_t connections = 0;  // at once by that label; 0: as many as the door takes
};

class Front {
 public:
  Front(FrontOptions options, const FrontNeeds& needs);
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  ~Front();

  // Before start(). `handlers` as the generated NAMESPACE::handlers() gives them; `service` is the object they take.
  void add(const model::Handlers& handlers, void* service);
  // Plain HTTP by host and path. An empty suffix is any host.
  void route(std::string host_suffix, std::string path_prefix, HttpHandler& handler);
  // ACCOUNT.dkr.ecr.REGION.amazonaws.com, and /v2/ of hosts that are not AWS's.
  void set_registry(HttpHandler& handler);

  void start();
  void stop();

  // 127.0.0.1 and, where there is IPv6, ::1: the API with TLS and plain HTTP. 0 picks a free port; the port is
  // returned. Throws PlaneError with a sentence for the user when the port is taken.
  std::uint16_t listen_loopback(std::uint16_t port);
  // A socket that listens already, in whatever namespace; taken over. Thread-safe.
  void adopt(int listening_socket, Listening listening);
  // A unix socket for the owner's processes and root's. Throws PlaneError.
  void listen_unix(const std::string& path, uid_t owner, const std::string& label, HttpHandler& handler);
  // Closes the sockets with that label and their connections. Thread-safe.
  void stop_listening(const std::string& label);

  FrontCounts counts() const;  // thread-safe

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace brume
