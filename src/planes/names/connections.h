// DNS over TCP (RFC 7766): messages with a length before them, several on one connection, answered in any order.
// Bounded in connections, in questions under way, in unsent answers and in idle time. The resolver's thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "planes/names/poller.h"

namespace brume::names {

class Connections final {
 public:
  // Called with a message and how to answer it, once; an empty answer closes the connection.
  using Ask = std::function<void(const std::string& view, std::string message, std::function<void(std::string)> reply)>;
  Connections(Poller& poller, std::chrono::milliseconds idle, Ask ask);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  void accept_from(const std::string& view, int listener);
  void close_view(const std::string& view);

 private:
  struct Connection;
  void ready(std::uint64_t id, std::uint32_t events);
  bool receive(Connection& connection);
  void ask_all(std::uint64_t id);
  void reply(std::uint64_t id, const std::string& message);
  bool flush(Connection& connection);
  void watch(std::uint64_t id);
  void close(std::uint64_t id);

  Poller& poller_;
  std::chrono::milliseconds idle_;
  Ask ask_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace brume::names
