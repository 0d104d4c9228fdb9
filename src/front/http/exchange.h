// One request and its answer on a connection, as the layers above see it. The server makes an Exchange when a head has
// arrived and hands it to the Application on the I/O thread; the Exchange's own functions may be called on any thread.
#pragma once

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "aws/http.h"
#include "core/error.h"
#include "front/http/body_sink.h"
#include "front/http/head.h"

namespace brume {
class ByteQueue;
}

namespace brume::http {

// The other end and the socket that it came in by.
struct Peer {
  std::string address;        // "127.0.0.1"; empty for unix sockets
  std::string local_address;  // the address that was dialled
  std::uint16_t local_port = 0;
  bool secure = false;   // over TLS
  std::string listener;  // the label of the listening socket
};

class Exchange {
 public:
  using BodyDone = std::move_only_function<void(std::expected<ReceivedBody, AwsError>)>;
  virtual ~Exchange() = default;  // without an answer so far: 500

  virtual const RequestHead& head() const = 0;
  virtual const Peer& peer() const = 0;

  virtual bool on_io_thread() const = 0;
  // Runs a function on the I/O thread, unless the server has stopped.
  virtual void post(std::move_only_function<void()> function) = 0;
  // Receives the body (says 100 Continue first when the client waits for it) and calls `done` on the I/O thread, also
  // when the body cannot be had. Once, before the answer.
  virtual void receive_body(BodyPlan plan, BodyDone done) = 0;
  // Sends the answer. Later answers are ignored.
  virtual void reply(HttpReply reply) = 0;
  // Sends an answer whose body is made while it is sent: what is written to `bytes`, until its end. The connection
  // closes the queue when the client goes.
  virtual void reply_stream(HttpReply head, std::shared_ptr<ByteQueue> bytes) = 0;
  // Instead of an answer: sends `head` to the connected socket `fd` (taken over) and from then on passes all bytes
  // both ways until both sides have ended.
  virtual void tunnel(int fd, std::string head) = 0;
};

class Application {
 public:
  virtual ~Application() = default;
  // I/O thread; must not block.
  virtual void on_request(std::shared_ptr<Exchange> exchange) = 0;
  // The answer to what is no well-formed request, or what came too late (408, 503).
  virtual HttpReply refusal(const HeadProblem& problem) = 0;
};

}  // namespace brume::http
