// The keeper's answers to the daemon: accepts its connection, carries out what it asks. The keeper's only thread.
#pragma once

#include <memory>
#include <string>

#include "planes/keeper/children.h"
#include "planes/keeper/connection.h"
#include "planes/keeper/keeper_process.h"
#include "planes/keeper/log_sockets.h"
#include "planes/keeper/outbox.h"
#include "planes/keeper/poller.h"
#include "planes/keeper/registry.h"
#include "planes/keeper/runs.h"

namespace brume::keeper {

class Server {
 public:
  // Takes over the listening socket and the signal descriptor (SIGCHLD, SIGTERM, SIGINT, all blocked).
  Server(const KeeperOptions& options, Descriptor listener, Descriptor signals);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  void run();  // until it is asked to shut down

 private:
  void accept();
  void signalled();
  void reap();
  void received(Connection& connection, const Frame& frame);
  void request(Connection& connection, Message type, const std::string& payload);
  void order(Message type, const std::string& payload);
  void greet(Connection& connection, const std::string& payload);
  void end_everything();

  // Sends the reply if the daemon that asked is still the one connected; whether it is.
  template <class Answer>
  auto replier(std::uint64_t number) {
    return [this, number, daemon = daemon_number_](const Answer& answer) {
      if (daemon != daemon_number_ || connection_ == nullptr) return false;
      connection_->send(Message::reply, encode(number, answer));
      return true;
    };
  }
  // A path as the daemon sees it: it may live in another mount namespace than the keeper.
  std::string daemon_path(const std::string& path) const;

  KeeperOptions options_;
  std::int64_t incarnation_;
  Poller poller_;
  Registry registry_;
  Outbox outbox_;
  Children children_;
  Runs runs_;
  LogSockets log_sockets_;
  Descriptor listener_, signals_;
  std::unique_ptr<Connection> connection_;
  int daemon_pid_ = 0;
  std::uint64_t daemon_number_ = 0;  // counts connections
  bool greeted_ = false;             // nothing is delivered before the daemon's hello
  bool ending_ = false;
};

}  // namespace brume::keeper
