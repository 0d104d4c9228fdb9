#include "planes/names/resolver.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "core/log.h"
#include "core/text.h"
#include "planes/names/connections.h"

namespace brume::names {
namespace {

constexpr std::size_t kMostUnservedNames = 1000;
constexpr std::uint32_t kNegativeTtl = 5;  // a name that a service is about to publish must be seen soon
constexpr std::uint16_t kClassIn = 1, kClassAny = 255, kTypeIxfr = 251, kTypeAxfr = 252;
constexpr int kDatagramsPerTurn = 64;

// Where a datagram came from and on which of our addresses it arrived: the answer must leave from there.
struct Peer {
  sockaddr_storage address{};
  socklen_t size = 0;
  in_addr own{};
  bool own_known = false;
};

bool receive(int descriptor, std::string& buffer, Peer& peer) {
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, 128> control{};
  msghdr message{};
  message.msg_name = &peer.address;
  message.msg_namelen = sizeof peer.address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(descriptor, &message, MSG_DONTWAIT);
  if (size < 0) return false;
  buffer.resize(static_cast<std::size_t>(size));
  peer.size = message.msg_namelen;
  for (cmsghdr* part_of = CMSG_FIRSTHDR(&message); part_of != nullptr; part_of = CMSG_NXTHDR(&message, part_of)) {
    if (part_of->cmsg_level != IPPROTO_IP || part_of->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(part_of), sizeof info);
    peer.own = info.ipi_spec_dst;
    peer.own_known = true;
  }
  return true;
}

void send_to(int descriptor, const std::string& text, const Peer& peer) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  msghdr message{};
  message.msg_name = const_cast<sockaddr_storage*>(&peer.address);
  message.msg_namelen = peer.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (peer.own_known) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = IPPROTO_IP;
    head->cmsg_type = IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_spec_dst = peer.own;
    std::memcpy(CMSG_DATA(head), &info, sizeof info);
  }
  // A full buffer loses the answer, as a network would; the client asks again.
  sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

std::string negative_zone(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

class ThreadResolver final : public Resolver {
 public:
  ThreadResolver(Zone& zone, ResolverOptions options)
      : zone_(zone),
        forwarder_(poller_, options.upstreams, options.attempt),
        connections_(poller_, options.idle,
                     [this](const std::string& view, std::string query, std::function<void(std::string)> reply) {
                       answer(view, query, true, std::move(reply));
                     }),
        thread_([this] { run(); }) {}

  ~ThreadResolver() override {
    stopping_ = true;
    poller_.wake();
    thread_.join();
    for (auto& command : commands_) command();  // sockets given too late are closed all the same
    for (const auto& [view, descriptor] : sockets_) ::close(descriptor);
  }

  void serve(const std::string& view, int udp_socket, int tcp_socket) override {
    post([this, view, udp_socket, tcp_socket] { begin(view, udp_socket, tcp_socket); });
  }
  void stop(const std::string& view) override {
    post([this, view] { end(view); });
  }
  void set_offline(bool offline) override { offline_ = offline; }
  void set_forwarding(const std::string& view, bool allowed) override {
    const std::lock_guard lock(mutex_);
    if (allowed)
      forwarding_.insert(view);
    else
      forwarding_.erase(view);
  }
  Counts counts() const override { return {answered_, forwarded_, refused_aws_}; }
  std::vector<std::pair<std::string, std::uint64_t>> unserved_aws_names() const override {
    const std::lock_guard lock(mutex_);
    return {unserved_.begin(), unserved_.end()};
  }

 private:
  void post(std::function<void()> command) {
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(std::move(command));
    }
    poller_.wake();
  }

  void run() {
    while (!stopping_) {
      poller_.run_once();
      std::vector<std::function<void()>> commands;
      {
        const std::lock_guard lock(mutex_);
        commands.swap(commands_);
      }
      for (auto& command : commands) command();
    }
  }

  void begin(const std::string& view, int udp_socket, int tcp_socket) {
    if (udp_socket >= 0) {
      const int on = 1;
      setsockopt(udp_socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
      sockets_.emplace(view, udp_socket);
      poller_.add(udp_socket, EPOLLIN, [this, view, udp_socket](std::uint32_t) { datagrams(view, udp_socket); });
    }
    if (tcp_socket >= 0) {
      sockets_.emplace(view, tcp_socket);
      poller_.add(tcp_socket, EPOLLIN,
                  [this, view, tcp_socket](std::uint32_t) { connections_.accept_from(view, tcp_socket); });
    }
  }

  void end(const std::string& view) {
    const auto [first, last] = sockets_.equal_range(view);
    for (auto socket = first; socket != last; ++socket) {
      poller_.remove(socket->second);
      ::close(socket->second);
    }
    sockets_.erase(first, last);
    connections_.close_view(view);
    ++generation_;
  }

  void datagrams(const std::string& view, int descriptor) {
    for (int i = 0; i < kDatagramsPerTurn; ++i) {
      std::string query(4096, '\0');
      Peer peer;
      if (!receive(descriptor, query, peer)) return;
      // The socket may be closed, and its number in use for another, when a forwarded answer comes.
      answer(view, query, false, [this, view, descriptor, peer, generation = generation_](const std::string& reply) {
        if (!reply.empty() && (generation == generation_ || is_socket_of(view, descriptor)))
          send_to(descriptor, reply, peer);
      });
    }
  }

  bool is_socket_of(const std::string& view, int descriptor) const {
    const auto [first, last] = sockets_.equal_range(view);
    return std::any_of(first, last, [descriptor](const auto& entry) { return entry.second == descriptor; });
  }

  bool may_forward(const std::string& view) const {
    if (offline_) return false;
    if (view.empty()) return true;
    const std::lock_guard lock(mutex_);
    return forwarding_.contains(view);
  }

  // `reply` is called once, now or later; with nothing when the message deserves no answer.
  void answer(const std::string& view, const std::string& bytes, bool tcp, std::function<void(std::string)> reply) {
    const auto query = parse_query(bytes);
    if (!query) {
      reply(write_rejection(query.error()));
      return;
    }
    const std::size_t limit = tcp ? kLargestMessage : std::min(query->udp_bytes, kUdpBytes);
    Response response;
    if (decide(view, *query, response)) {
      ++answered_;
      reply(write_response(*query, response, limit));
      return;
    }
    ++forwarded_;
    forwarder_.forward(*query, bytes, tcp,
                       [query = *query, limit, reply = std::move(reply)](std::optional<std::string> upstream) {
                         Response failure{.code = Code::server_failure, .authoritative = false};
                         reply(upstream ? std::move(*upstream) : write_response(query, failure, limit));
                       });
  }

  // False when the question is to be forwarded.
  bool decide(const std::string& view, const Query& query, Response& response) {
    if ((query.query_class != kClassIn && query.query_class != kClassAny) || query.type == kTypeIxfr ||
        query.type == kTypeAxfr) {
      response.code = Code::refused;
      return true;
    }
    const Zone::Answer found = zone_.find(view, query.name, static_cast<RecordType>(query.type));
    if (found.exists) {
      response.answers = rotated(found.records);
      if (found.records.empty()) response.authority = StartOfAuthority{negative_zone(query.name), kNegativeTtl};
      return true;
    }
    if (found.ours) {
      if (is_aws_name(query.name)) count_unserved(query.name);
    } else if (answer_localhost(query, response)) {
      return true;
    } else if (!is_local_only_name(query.name) && may_forward(view)) {
      return false;
    }
    response.code = Code::name_error;
    response.authority = StartOfAuthority{negative_zone(query.name), kNegativeTtl};
    return true;
  }

  // RFC 6761 6.3: localhost and the names below it are the loopback addresses.
  static bool answer_localhost(const Query& query, Response& response) {
    if (query.name != "localhost" && !query.name.ends_with(".localhost")) return false;
    const auto type = static_cast<RecordType>(query.type);
    if (type == RecordType::a) response.answers = {{RecordType::a, 60, "127.0.0.1"}};
    if (type == RecordType::aaaa) response.answers = {{RecordType::aaaa, 60, "::1"}};
    if (response.answers.empty()) response.authority = StartOfAuthority{negative_zone(query.name), kNegativeTtl};
    return true;
  }

  // Addresses take turns at the front (RFC 1794), so that clients that take the first use every zone.
  std::vector<Record> rotated(std::vector<Record> records) {
    const auto first =
        std::find_if(records.begin(), records.end(), [](const Record& record) { return record.type == RecordType::a; });
    const auto last =
        std::find_if(first, records.end(), [](const Record& record) { return record.type != RecordType::a; });
    if (last - first > 1)
      std::rotate(first, first + static_cast<std::ptrdiff_t>(turn_++ % static_cast<std::uint64_t>(last - first)), last);
    return records;
  }

  void count_unserved(const std::string& name) {
    ++refused_aws_;
    const std::lock_guard lock(mutex_);
    const auto known = unserved_.find(name);
    if (known != unserved_.end())
      ++known->second;
    else if (unserved_.size() < kMostUnservedNames)
      unserved_.emplace(name, 1);
  }

  Zone& zone_;
  Poller poller_;
  Forwarder forwarder_;
  Connections connections_;
  std::multimap<std::string, int> sockets_;  // of a view; the resolver's thread
  std::uint64_t generation_ = 0, turn_ = 0;
  std::atomic<bool> stopping_ = false, offline_ = false;
  std::atomic<std::uint64_t> answered_ = 0, forwarded_ = 0, refused_aws_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> commands_;
  std::set<std::string> forwarding_;
  std::map<std::string, std::uint64_t> unserved_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<Resolver> make_resolver(Zone& zone, ResolverOptions options) {
  return std::make_unique<ThreadResolver>(zone, std::move(options));
}

std::unique_ptr<Resolver> make_resolver(Zone& zone) { return make_resolver(zone, ResolverOptions{}); }

}  // namespace brume::names
