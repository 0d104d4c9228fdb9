// The HTTP server: one I/O thread that accepts on any number of listening sockets and serves their connections. Its
// public functions are thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/time.h"
#include "front/certificates.h"
#include "front/http/exchange.h"
#include "front/http/limits.h"

namespace brume::http {

struct ListenerOptions {
  std::string label;               // given to the Application in Peer::listener
  bool tls = false;                // connections may start with a TLS handshake
  std::optional<uid_t> only_user;  // unix sockets: only this user and root
  std::size_t connections = 0;     // at once by that label; 0: as many as the server takes
};

class Server {
 public:
  // `spool_directory` is made if it is missing; bodies that an earlier process left there are removed.
  Server(Limits limits, std::string spool_directory, Application& application, Clock& clock,
         CertificateSource* certificates);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  void start();
  // Closes every socket and ends the thread. Exchanges that are kept elsewhere become mute.
  void stop();

  // Serves a listening socket, which is taken over.
  void listen(int fd, ListenerOptions options);
  // Closes the listening sockets with that label and every connection that came in by them.
  void close_listener(const std::string& label);
  std::size_t connections() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace brume::http
