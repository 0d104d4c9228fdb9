// A routing netlink socket in the network namespace it was made in, and the messages that go over it. Blocking; used on
// the plane's kernel thread. Throws PlaneError{transient} when the socket itself fails.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "planes/network/descriptor.h"

namespace brume::network {

// One request: its header, its family's header, its attributes.
class NetlinkMessage {
 public:
  template <class Header>
  NetlinkMessage(std::uint16_t type, std::uint16_t flags, const Header& header) : type_(type), flags_(flags) {
    append(&header, sizeof header);
  }
  NetlinkMessage& attribute(std::uint16_t type, std::string_view bytes);
  NetlinkMessage& text(std::uint16_t type, std::string_view text);  // with its closing zero
  NetlinkMessage& number(std::uint16_t type, std::uint32_t value);
  NetlinkMessage& address(std::uint16_t type, std::uint32_t host_order);
  // Attributes until `end` lie within this one.
  std::size_t begin(std::uint16_t type);
  void end(std::size_t begun);
  template <class Header>
  void header(const Header& header) {
    append(&header, sizeof header);
  }

 private:
  friend class NetlinkSocket;
  void append(const void* bytes, std::size_t size);
  std::uint16_t type_, flags_;
  std::string payload_;
};

// An attribute of an answer, by type.
class NetlinkAttributes {
 public:
  NetlinkAttributes(const nlmsghdr& message, std::size_t header_size);
  bool has(std::uint16_t type) const;
  std::string_view bytes(std::uint16_t type) const;  // empty when absent
  std::string text(std::uint16_t type) const;
  std::uint32_t number(std::uint16_t type) const;   // 0 when absent
  std::uint32_t address(std::uint16_t type) const;  // host order

 private:
  std::vector<std::pair<std::uint16_t, std::string_view>> attributes_;
};

struct NetlinkResult {
  int error = 0;  // an errno
  std::string reason;
};

class NetlinkSocket {
 public:
  NetlinkSocket();
  // Sends all and waits for each one's acknowledgement; results in the order of the messages.
  std::vector<NetlinkResult> run(const std::vector<NetlinkMessage>& messages);
  // Asks for all objects of `message`'s kind and gives each to `each`.
  void dump(const NetlinkMessage& message, const std::function<void(const nlmsghdr&)>& each);

 private:
  void send(const std::string& bytes);
  // Receives one datagram and gives each message in it to `each`.
  void receive(const std::function<void(const nlmsghdr&)>& each);

  Descriptor socket_;
  std::uint32_t sequence_ = 0;
  std::string buffer_;
};

// A socket of the thread's present namespace that becomes readable when its links, addresses or routes change.
// Non-blocking.
Descriptor watch_links();

}  // namespace brume::network
