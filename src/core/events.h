// The events of an answer that is an event stream ("Amazon event stream encoding"): a handler gives a source, the front
// turns what it sends into the protocol's messages. Control thread, but for gone().
#pragma once

#include <functional>
#include <memory>

#include "core/error.h"

namespace brume {

class EventWriter {
 public:
  virtual ~EventWriter() = default;
  // `event` is a value of the operation's union of events, with one member set. Ignored when the client is gone.
  virtual void send(const void* event) = 0;
  // The last message: an exception of the stream. Ends it.
  virtual void fail(const AwsError& error) = 0;
  virtual void end() = 0;
  // The client has closed the connection, or reads so slowly that it was closed. Any thread.
  virtual bool gone() const = 0;
  // `then` is called once, on any thread, when that has happened: what is kept for the client can go. Not after end().
  virtual void on_gone(std::function<void()> then) = 0;
};

class EventSource {
 public:
  virtual ~EventSource() = default;
  // Once, when the answer's head is on its way. The writer is kept as long as there may be events.
  virtual void start(std::shared_ptr<EventWriter> writer) = 0;
};

// The member of an output that is an event stream.
struct EventStream {
  std::shared_ptr<EventSource> source;  // shared with the front, once the answer is on its way
  bool operator==(const EventStream&) const = default;
};

}  // namespace brume
