// A stream socket with frames on it, never blocking: the keeper's end of the daemon's connection.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "planes/keeper/outbox.h"
#include "planes/keeper/poller.h"
#include "planes/keeper/process.h"
#include "planes/keeper/wire.h"

namespace brume::keeper {

class Connection final : public Sink {
 public:
  using OnFrame = std::function<void(Connection&, const Frame&)>;
  // `on_close` is called once when the other side has gone or spoke nonsense; it may destroy the connection.
  Connection(Poller& poller, Descriptor socket, OnFrame on_frame, std::function<void(Connection&)> on_close);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  bool accepts_more() const override;
  void send(Message type, std::string_view payload) override;

 private:
  void ready(std::uint32_t events);
  bool receive();  // false at the end
  bool flush();    // false at the end

  Poller& poller_;
  Descriptor socket_;
  OnFrame on_frame_;
  std::function<void(Connection&)> on_close_;
  Poller::Token token_ = 0;
  FrameReader reader_;
  std::string out_;
  std::size_t sent_ = 0;
  bool writing_ = false;  // waits for room in the socket
};

}  // namespace brume::keeper
