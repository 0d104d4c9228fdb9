#include "planes/network/netlink.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace brume::network {
namespace {

constexpr std::size_t kReceiveBytes = 1U << 18;
// What the kernel queues for one send: acknowledgements of a batch must fit the receive buffer of the socket.
constexpr std::size_t kMessagesPerSend = 64;

std::size_t aligned(std::size_t size) { return NLMSG_ALIGN(size); }

template <class Number>
Number read(std::string_view bytes) {
  Number number{};
  if (bytes.size() >= sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

std::string with_header(const std::string& payload, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  header.nlmsg_seq = sequence;
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes += payload;
  bytes.resize(aligned(bytes.size()), '\0');
  return bytes;
}

NetlinkResult read_result(const nlmsghdr& message) {
  nlmsgerr error{};
  std::memcpy(&error, NLMSG_DATA(&message), sizeof error);
  NetlinkResult result{-error.error, ""};
  if (result.error == 0) return result;
  result.reason = std::strerror(result.error);
  // The kernel's own words come as an attribute behind the (uncapped) request.
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
    std::size_t skip = sizeof(nlmsgerr);
    if ((message.nlmsg_flags & NLM_F_CAPPED) == 0) skip += aligned(error.msg.nlmsg_len) - sizeof(nlmsghdr);
    const std::string words = NetlinkAttributes(message, skip).text(NLMSGERR_ATTR_MSG);
    if (!words.empty()) result.reason += " (" + words + ")";
  }
  return result;
}

}  // namespace

void NetlinkMessage::append(const void* bytes, std::size_t size) {
  payload_.append(static_cast<const char*>(bytes), size);
  payload_.resize(aligned(payload_.size()), '\0');
}

NetlinkMessage& NetlinkMessage::attribute(std::uint16_t type, std::string_view bytes) {
  const std::size_t begun = begin(type);
  payload_.append(bytes);
  end(begun);
  return *this;
}

NetlinkMessage& NetlinkMessage::text(std::uint16_t type, std::string_view text) {
  return attribute(type, std::string(text) + '\0');
}

NetlinkMessage& NetlinkMessage::number(std::uint16_t type, std::uint32_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return attribute(type, {bytes, sizeof bytes});
}

NetlinkMessage& NetlinkMessage::address(std::uint16_t type, std::uint32_t host_order) {
  return number(type, __builtin_bswap32(host_order));
}

std::size_t NetlinkMessage::begin(std::uint16_t type) {
  const std::size_t begun = payload_.size();
  const rtattr attribute{0, type};
  payload_.append(reinterpret_cast<const char*>(&attribute), sizeof attribute);
  return begun;
}

void NetlinkMessage::end(std::size_t begun) {
  const auto size = static_cast<std::uint16_t>(payload_.size() - begun);
  std::memcpy(payload_.data() + begun, &size, sizeof size);
  payload_.resize(aligned(payload_.size()), '\0');
}

NetlinkAttributes::NetlinkAttributes(const nlmsghdr& message, std::size_t header_size) {
  const char* data = static_cast<const char*>(NLMSG_DATA(&message));
  const std::size_t size = message.nlmsg_len - NLMSG_LENGTH(0);
  std::size_t at = aligned(header_size);
  while (at + sizeof(rtattr) <= size) {
    rtattr attribute{};
    std::memcpy(&attribute, data + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > size) break;
    attributes_.emplace_back(static_cast<std::uint16_t>(attribute.rta_type & NLA_TYPE_MASK),
                             std::string_view(data + at + sizeof attribute, attribute.rta_len - sizeof attribute));
    at += aligned(attribute.rta_len);
  }
}

bool NetlinkAttributes::has(std::uint16_t type) const {
  return std::ranges::any_of(attributes_, [&](const auto& attribute) { return attribute.first == type; });
}

std::string_view NetlinkAttributes::bytes(std::uint16_t type) const {
  for (const auto& [own_type, bytes] : attributes_)
    if (own_type == type) return bytes;
  return {};
}

std::string NetlinkAttributes::text(std::uint16_t type) const {
  const std::string_view all = bytes(type);
  return std::string(all.substr(0, all.find('\0')));
}

std::uint32_t NetlinkAttributes::number(std::uint16_t type) const { return read<std::uint32_t>(bytes(type)); }

std::uint32_t NetlinkAttributes::address(std::uint16_t type) const { return __builtin_bswap32(number(type)); }

NetlinkSocket::NetlinkSocket() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (!socket_) throw_errno("netlink socket");
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // The kernel answers at once; a wait this long means that it will not.
  const timeval deadline{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  buffer_.resize(kReceiveBytes);
}

void NetlinkSocket::send(const std::string& bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
               sizeof kernel) < 0)
    throw_errno("netlink send");
}

void NetlinkSocket::receive(const std::function<void(const nlmsghdr&)>& each) {
  ssize_t size = 0;
  do {
    size = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) throw_errno("netlink receive");
  auto left = static_cast<std::size_t>(size);
  const char* at = buffer_.data();
  while (left >= sizeof(nlmsghdr)) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(at);
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > left) break;
    each(*message);
    const std::size_t step = std::min(left, aligned(message->nlmsg_len));
    at += step;
    left -= step;
  }
}

std::vector<NetlinkResult> NetlinkSocket::run(const std::vector<NetlinkMessage>& messages) {
  std::vector<NetlinkResult> results(messages.size());
  for (std::size_t start = 0; start < messages.size(); start += kMessagesPerSend) {
    const std::size_t end = std::min(messages.size(), start + kMessagesPerSend);
    const std::uint32_t first = sequence_ + 1;
    std::string batch;
    for (std::size_t i = start; i < end; ++i)
      batch += with_header(messages[i].payload_, messages[i].type_,
                           static_cast<std::uint16_t>(messages[i].flags_ | NLM_F_ACK), ++sequence_);
    send(batch);
    for (std::size_t answered = start; answered < end;)
      receive([&](const nlmsghdr& message) {
        // Answers to an earlier request that was given up are none of this one's.
        const std::uint32_t index = message.nlmsg_seq - first;
        if (message.nlmsg_type != NLMSG_ERROR || index >= end - start) return;
        results[start + index] = read_result(message);
        ++answered;
      });
  }
  return results;
}

void NetlinkSocket::dump(const NetlinkMessage& message, const std::function<void(const nlmsghdr&)>& each) {
  // An interrupted dump may lack objects or have some twice: asked again, a few times.
  for (int attempt = 0; attempt < 5; ++attempt) {
    bool done = false, interrupted = false;
    std::vector<std::string> answers;
    send(with_header(message.payload_, message.type_, static_cast<std::uint16_t>(message.flags_ | NLM_F_DUMP),
                     ++sequence_));
    while (!done)
      receive([&](const nlmsghdr& answer) {
        if (answer.nlmsg_seq != sequence_) return;
        interrupted |= (answer.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
        if (answer.nlmsg_type == NLMSG_ERROR) {
          throw PlaneError(PlaneError::Kind::transient, "netlink dump: " + read_result(answer).reason);
        }
        if (answer.nlmsg_type == NLMSG_DONE)
          done = true;
        else
          answers.emplace_back(reinterpret_cast<const char*>(&answer), answer.nlmsg_len);
      });
    if (interrupted) continue;
    for (const std::string& answer : answers) each(*reinterpret_cast<const nlmsghdr*>(answer.data()));
    return;
  }
  throw PlaneError(PlaneError::Kind::transient, "netlink dump: interrupted again and again");
}

Descriptor watch_links() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!socket) throw_errno("netlink socket");
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&groups), sizeof groups) != 0) throw_errno("netlink bind");
  return socket;
}

}  // namespace brume::network
