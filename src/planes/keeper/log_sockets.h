// Datagram sockets that programs log to (HAProxy), held by the keeper so that no message is lost while the daemon is
// away. The keeper's only thread.
#pragma once

#include <map>
#include <string>

#include "planes/keeper/outbox.h"
#include "planes/keeper/poller.h"
#include "planes/keeper/process.h"

namespace brume::keeper {

class LogSockets {
 public:
  LogSockets(Poller& poller, Outbox& outbox);
  LogSockets(const LogSockets&) = delete;
  LogSockets& operator=(const LogSockets&) = delete;
  ~LogSockets();
  void open(const std::string& path, const std::string& id);
  void close(const std::string& id);
  void close_all();

 private:
  struct Socket {
    Descriptor descriptor;
    std::string path;
    Poller::Token token = 0;
    Outbox::Feed* feed = nullptr;
  };
  Descriptor make_socket() const;
  void receive(Socket& socket);

  Poller& poller_;
  Outbox& outbox_;
  Descriptor own_namespace_, quiet_namespace_;
  std::map<std::string, Socket> sockets_;
};

}  // namespace brume::keeper
