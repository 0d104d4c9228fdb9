#include "planes/network/kernel.h"

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/fault.h"
#include "planes/network/netlink.h"
#include "planes/network/render.h"

namespace brume::network {
namespace {

// Marks routes and rules as ours, among those that the kernel and other programs make (rtnetlink's RTA_PROTOCOL).
constexpr std::uint8_t kProtocol = 201;
constexpr std::size_t kChangesPerBatch = 64;
constexpr std::chrono::seconds kCarrierDeadline(5);
constexpr const char* kNeighbourRetransmission = "20";  // milliseconds
constexpr std::uint32_t kDoomedGroup = 0x6272756D;

using LinkIndex = std::map<std::string, std::uint32_t>;

template <class Header>
Header header_of(const nlmsghdr& message) {
  Header header{};
  std::memcpy(&header, NLMSG_DATA(&message), sizeof header);
  return header;
}

std::string mac_text(std::string_view bytes) {
  std::string text;
  char part[4];
  for (const char byte : bytes) {
    std::snprintf(part, sizeof part, "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    if (!text.empty()) text += ':';
    text += part;
  }
  return text;
}

std::string mac_bytes(const std::string& text) {
  std::array<unsigned, 6> parts{};
  std::string bytes;
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4],
                  &parts[5]) != 6)
    throw PlaneError(PlaneError::Kind::permanent, "not a MAC address: \"" + text + "\"");
  for (const unsigned part : parts) bytes += static_cast<char>(part);
  return bytes;
}

NetlinkMessage dump_links() {
  NetlinkMessage message(RTM_GETLINK, 0, ifinfomsg{});
  message.number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return message;
}

LinkIndex read_links(NetlinkSocket& socket, NamespaceState* state) {
  LinkIndex index;
  socket.dump(dump_links(), [&](const nlmsghdr& message) {
    const NetlinkAttributes attributes(message, sizeof(ifinfomsg));
    const std::string name = attributes.text(IFLA_IFNAME);
    index[name] = static_cast<std::uint32_t>(header_of<ifinfomsg>(message).ifi_index);
    if (!state) return;
    state->links[name] = {.label = attributes.text(IFLA_IFALIAS),
                          .mac = mac_text(attributes.bytes(IFLA_ADDRESS)),
                          .mtu = static_cast<int>(attributes.number(IFLA_MTU))};
  });
  return index;
}

std::string name_of(const LinkIndex& index, std::uint32_t number) {
  for (const auto& [name, own] : index)
    if (own == number) return name;
  return "";
}

void read_addresses(NetlinkSocket& socket, const LinkIndex& index, NamespaceState& state) {
  ifaddrmsg request{};
  request.ifa_family = AF_INET;
  socket.dump(NetlinkMessage(RTM_GETADDR, 0, request), [&](const nlmsghdr& message) {
    const auto header = header_of<ifaddrmsg>(message);
    const Ipv4 address{NetlinkAttributes(message, sizeof header).address(IFA_LOCAL)};
    if (header.ifa_family != AF_INET || (address.value >> 24) == 127) return;
    state.addresses.insert({name_of(index, header.ifa_index), address, header.ifa_prefixlen});
  });
}

bool read_type(std::uint8_t type, KernelRoute::Type& out) {
  switch (type) {
    case RTN_UNICAST:
      out = KernelRoute::Type::unicast;
      return true;
    case RTN_LOCAL:
      out = KernelRoute::Type::local;
      return true;
    case RTN_BLACKHOLE:
      out = KernelRoute::Type::blackhole;
      return true;
    case RTN_UNREACHABLE:
      out = KernelRoute::Type::unreachable;
      return true;
    case RTN_THROW:
      out = KernelRoute::Type::throw_;
      return true;
    default:
      return false;
  }
}

void read_routes(NetlinkSocket& socket, const LinkIndex& index, NamespaceState& state) {
  rtmsg request{};
  request.rtm_family = AF_INET;
  socket.dump(NetlinkMessage(RTM_GETROUTE, 0, request), [&](const nlmsghdr& message) {
    const auto header = header_of<rtmsg>(message);
    KernelRoute route;
    if (header.rtm_protocol != kProtocol || !read_type(header.rtm_type, route.type)) return;
    const NetlinkAttributes attributes(message, sizeof header);
    if (attributes.has(RTA_OIF)) route.link = name_of(index, attributes.number(RTA_OIF));
    if (attributes.has(RTA_GATEWAY)) route.gateway = Ipv4{attributes.address(RTA_GATEWAY)};
    if (attributes.has(RTA_PREFSRC)) route.source = Ipv4{attributes.address(RTA_PREFSRC)};
    state.routes[{.table = attributes.number(RTA_TABLE),
                  .destination = {Ipv4{attributes.address(RTA_DST)}, header.rtm_dst_len},
                  .metric = attributes.number(RTA_PRIORITY)}] = route;
  });
}

void read_rules(NetlinkSocket& socket, NamespaceState& state) {
  fib_rule_hdr request{};
  request.family = AF_INET;
  socket.dump(NetlinkMessage(RTM_GETRULE, 0, request), [&](const nlmsghdr& message) {
    const NetlinkAttributes attributes(message, sizeof(fib_rule_hdr));
    const std::string_view protocol = attributes.bytes(FRA_PROTOCOL);
    if (protocol.empty() || static_cast<std::uint8_t>(protocol.front()) != kProtocol) return;
    KernelRule rule{.priority = attributes.number(FRA_PRIORITY),
                    .mark = attributes.number(FRA_FWMARK),
                    .from = std::nullopt,
                    .table = attributes.number(FRA_TABLE)};
    if (attributes.has(FRA_SRC)) rule.from = Ipv4{attributes.address(FRA_SRC)};
    state.rules.insert(rule);
  });
}

// The work in one namespace: messages gathered and sent together.
class Session {
 public:
  Session(const Namespaces& namespaces, const std::string& name)
      : namespaces_(namespaces), name_(name), entered_(namespaces.open(name)) {}

  const std::string& name() const { return name_; }

  void add(const Change& change) {
    std::visit([&](const auto& operation) { add_operation(operation); }, change.operation);
    changes_.push_back(&change);
    if (changes_.size() == kChangesPerBatch) flush();
  }

  void flush() {
    const std::vector<NetlinkResult> results = socket_.run(messages_);
    for (std::size_t i = 0; i < changes_.size(); ++i)
      if (results[i].error != 0 && !harmless(changes_[i]->operation, results[i].error))
        throw PlaneError(PlaneError::Kind::transient, to_text(*changes_[i]) + ": " + results[i].reason);
    delete_doomed();
    fault_point("network.links.sent");
    messages_.clear();
    changes_.clear();
    held_.clear();
    creating_ = false;
  }

 private:
  // What is gone need not go, and what is there need not come.
  static bool harmless(const Operation& operation, int error) {
    if (std::holds_alternative<DeleteLink>(operation)) return error == ENODEV;
    if (std::holds_alternative<RemoveAddress>(operation)) return error == EADDRNOTAVAIL || error == ENODEV;
    if (std::holds_alternative<RemoveRoute>(operation)) return error == ESRCH || error == ENODEV;
    if (std::holds_alternative<RemoveRule>(operation)) return error == ENOENT;
    return std::holds_alternative<AddRule>(operation) && error == EEXIST;
  }

  std::uint32_t index_of(const std::string& link) {
    if (index_.empty()) {
      flush();  // Links that are about to be made have no numbers yet.
      index_ = read_links(socket_, nullptr);
    }
    const auto found = index_.find(link);
    if (found == index_.end()) throw PlaneError(PlaneError::Kind::transient, name_ + " has no link " + link);
    return found->second;
  }

  void add_operation(const CreateNamespace&) { BRUME_CHECK(false); }
  void add_operation(const RemoveNamespace&) { BRUME_CHECK(false); }

  void add_operation(const CreateLink& create) {
    held_.push_back(namespaces_.open(create.link.peer_namespace));
    NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
    message.text(IFLA_IFNAME, create.name);
    // One queue each: the default is one per processor, which is slow to make and of no use here.
    message.number(IFLA_NUM_TX_QUEUES, 1).number(IFLA_NUM_RX_QUEUES, 1);
    const std::size_t info = message.begin(IFLA_LINKINFO);
    message.text(IFLA_INFO_KIND, "veth");
    const std::size_t data = message.begin(IFLA_INFO_DATA);
    const std::size_t peer = message.begin(VETH_INFO_PEER);
    message.header(ifinfomsg{});
    message.text(IFLA_IFNAME, create.link.peer);
    message.number(IFLA_NUM_TX_QUEUES, 1).number(IFLA_NUM_RX_QUEUES, 1);
    message.number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(held_.back().get()));
    if (!create.peer_mac.empty()) message.attribute(IFLA_ADDRESS, mac_bytes(create.peer_mac));
    message.end(peer);
    message.end(data);
    message.end(info);
    messages_.push_back(std::move(message));
    index_.clear();
    creating_ = true;
  }

  void add_operation(const SetLink& set) {
    // The link must be there: an absent setting is none to write.
    if (creating_) flush();
    // Without this an answer for a neighbour would wait for up to 0.8 s.
    if (set.link.router_end) write_setting("net/ipv4/neigh/" + set.name + "/proxy_delay", "0");
    // A question that traffic asks while the other end has still to get its address is asked again soon, not after a
    // second: what comes meanwhile waits for it. Sandboxes keep the kernel's time, or they would learn at once that
    // nobody has an address.
    if (kind_of(name_) != NamespaceKind::sandbox)
      write_setting("net/ipv4/neigh/" + set.name + "/retrans_time_ms", kNeighbourRetransmission);
    ifinfomsg header{};
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    NetlinkMessage message(RTM_NEWLINK, 0, header);
    message.text(IFLA_IFNAME, set.name);
    if (set.link.mtu != 0) message.number(IFLA_MTU, static_cast<std::uint32_t>(set.link.mtu));
    if (!set.link.mac.empty()) message.attribute(IFLA_ADDRESS, mac_bytes(set.link.mac));
    message.attribute(IFLA_IFALIAS, set.link.label);
    messages_.push_back(std::move(message));
  }

  // Links are deleted together, as a group: the kernel waits out one grace period, some 20 ms, instead of one for each.
  void add_operation(const DeleteLink& link) {
    NetlinkMessage message(RTM_NEWLINK, 0, ifinfomsg{});
    message.text(IFLA_IFNAME, link.name).number(IFLA_GROUP, kDoomedGroup);
    messages_.push_back(std::move(message));
    doomed_ = true;
    index_.clear();
  }
  void delete_doomed() {
    if (!std::exchange(doomed_, false)) return;
    NetlinkMessage message(RTM_DELLINK, 0, ifinfomsg{});
    message.number(IFLA_GROUP, kDoomedGroup);
    const NetlinkResult result = socket_.run({message}).front();
    if (result.error != 0 && result.error != ENODEV)
      throw PlaneError(PlaneError::Kind::transient, "delete links in " + name_ + ": " + result.reason);
  }

  NetlinkMessage address_message(std::uint16_t type, std::uint16_t flags, const KernelAddress& address) {
    ifaddrmsg header{};
    header.ifa_family = AF_INET;
    header.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix);
    header.ifa_index = index_of(address.link);
    NetlinkMessage message(type, flags, header);
    message.address(IFA_LOCAL, address.address.value).address(IFA_ADDRESS, address.address.value);
    return message;
  }
  void add_operation(const AddAddress& add) {
    messages_.push_back(address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, add.address));
  }
  void add_operation(const RemoveAddress& remove) {
    messages_.push_back(address_message(RTM_DELADDR, 0, remove.address));
  }

  NetlinkMessage route_message(std::uint16_t type, std::uint16_t flags, const RouteKey& key, const KernelRoute& route) {
    static constexpr std::uint8_t kTypes[] = {RTN_UNICAST, RTN_LOCAL, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_THROW};
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = static_cast<std::uint8_t>(key.destination.prefix);
    header.rtm_protocol = kProtocol;
    header.rtm_type = kTypes[static_cast<int>(route.type)];
    if (route.type == KernelRoute::Type::local)
      header.rtm_scope = RT_SCOPE_HOST;
    else if (route.type == KernelRoute::Type::unicast && !route.gateway)
      header.rtm_scope = RT_SCOPE_LINK;
    if (route.gateway) header.rtm_flags = RTNH_F_ONLINK;
    NetlinkMessage message(type, flags, header);
    message.address(RTA_DST, key.destination.network.value).number(RTA_TABLE, key.table);
    if (key.metric != 0) message.number(RTA_PRIORITY, key.metric);
    if (!route.link.empty()) message.number(RTA_OIF, index_of(route.link));
    if (route.gateway) message.address(RTA_GATEWAY, route.gateway->value);
    if (route.source) message.address(RTA_PREFSRC, route.source->value);
    return message;
  }
  void add_operation(const PutRoute& put) {
    messages_.push_back(route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, put.key, put.route));
  }
  void add_operation(const RemoveRoute& remove) {
    messages_.push_back(route_message(RTM_DELROUTE, 0, remove.key, remove.route));
  }

  static NetlinkMessage rule_message(std::uint16_t type, std::uint16_t flags, const KernelRule& rule) {
    fib_rule_hdr header{};
    header.family = AF_INET;
    header.action = FR_ACT_TO_TBL;
    header.src_len = rule.from ? 32 : 0;
    NetlinkMessage message(type, flags, header);
    message.number(FRA_PRIORITY, rule.priority).number(FRA_TABLE, rule.table);
    if (rule.mark != 0) message.number(FRA_FWMARK, rule.mark);
    if (rule.from) message.address(FRA_SRC, rule.from->value);
    message.attribute(FRA_PROTOCOL, std::string(1, static_cast<char>(kProtocol)));
    return message;
  }
  void add_operation(const AddRule& add) {
    messages_.push_back(rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, add.rule));
  }
  void add_operation(const RemoveRule& remove) { messages_.push_back(rule_message(RTM_DELRULE, 0, remove.rule)); }

  const Namespaces& namespaces_;
  const std::string name_;
  Entered entered_;
  NetlinkSocket socket_;
  LinkIndex index_;
  std::vector<NetlinkMessage> messages_;
  std::vector<const Change*> changes_;
  std::vector<Descriptor> held_;
  bool doomed_ = false;
  bool creating_ = false;  // a link that is in messages_ still
};

// The link ends that begin to send a while after they are brought up. The end of a pair that is brought up first has no
// carrier then; once the other end is up, the kernel lets it send by a work item of its own (its "link watch"), some
// milliseconds later. What is sent before is lost without a word, and TCP repeats a lost SYN after a second.
class FirstEnds {
 public:
  void created(const std::string& name_space, const CreateLink& create) {
    other_end_[{create.link.peer_namespace, create.link.peer}] = {name_space, create.name};
    other_end_[{name_space, create.name}] = {create.link.peer_namespace, create.link.peer};
  }
  void brought_up(const std::string& name_space, const std::string& name) {
    const auto other = other_end_.find({name_space, name});
    if (other != other_end_.end() && !is_up_.contains(other->second)) waited_for_[name_space].insert(name);
    is_up_.insert({name_space, name});
  }
  void wait(const Namespaces& namespaces) const {
    const auto deadline = std::chrono::steady_clock::now() + kCarrierDeadline;
    for (const auto& [name_space, names] : waited_for_) wait_in(namespaces, name_space, names, deadline);
  }

 private:
  using End = std::pair<std::string, std::string>;
  using Deadline = std::chrono::steady_clock::time_point;

  static void wait_in(const Namespaces& namespaces, const std::string& name_space, const std::set<std::string>& names,
                      Deadline deadline) {
    const Entered entered(namespaces.open(name_space));
    // Listening begins before looking, so that no change is missed in between.
    const Descriptor changes = watch_links();
    NetlinkSocket socket;
    while (!all_operational(socket, names)) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd poll{changes.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&poll, 1, static_cast<int>(left.count())) == 0)
        throw PlaneError(PlaneError::Kind::transient, "links in " + name_space + " do not come up");
      char ignored[8192];
      while (::recv(changes.get(), ignored, sizeof ignored, MSG_DONTWAIT) > 0) {
      }
    }
  }

  static bool all_operational(NetlinkSocket& socket, const std::set<std::string>& names) {
    std::size_t operational = 0;
    socket.dump(dump_links(), [&](const nlmsghdr& message) {
      const NetlinkAttributes attributes(message, sizeof(ifinfomsg));
      const std::string_view state = attributes.bytes(IFLA_OPERSTATE);
      const bool up = !state.empty() && static_cast<std::uint8_t>(state.front()) == IF_OPER_UP;
      if (up && names.contains(attributes.text(IFLA_IFNAME))) ++operational;
    });
    return operational == names.size();
  }

  std::map<End, End> other_end_;
  std::set<End> is_up_;
  std::map<std::string, std::set<std::string>> waited_for_;
};

}  // namespace

NamespaceKind kind_of(const std::string& name) {
  if (name == kInternetNamespace) return NamespaceKind::internet;
  return name.starts_with(router_namespace("")) ? NamespaceKind::router : NamespaceKind::sandbox;
}

NamespaceState observe(const Namespaces& namespaces, const std::string& name) {
  const Entered entered(namespaces.open(name));
  NetlinkSocket socket;
  NamespaceState state;
  const LinkIndex index = read_links(socket, &state);
  read_addresses(socket, index, state);
  read_routes(socket, index, state);
  read_rules(socket, state);
  if (kind_of(name) == NamespaceKind::router)
    for (auto& [link_name, link] : state.links) link.router_end = link_name != "lo";
  return state;
}

std::string loopback_label(const Namespaces& namespaces, const std::string& name) {
  const Entered entered(namespaces.open(name));
  NetlinkSocket socket;
  NamespaceState state;
  read_links(socket, &state);
  return state.links["lo"].label;
}

void pair_links(Topology& topology, const std::string& router) {
  const auto own = topology.find(router);
  if (own == topology.end()) return;
  std::map<std::string, std::pair<std::string, std::string>> ends;  // by label: namespace and link
  for (const auto& [name_space, state] : topology)
    for (const auto& [name, link] : state.links)
      if (name_space != router && name != "lo" && !link.label.empty()) ends[link.label] = {name_space, name};
  for (auto& [name, link] : own->second.links) {
    const auto end = ends.find(link.label);
    if (name == "lo" || end == ends.end()) continue;
    link.peer_namespace = end->second.first;
    link.peer = end->second.second;
    KernelLink& peer = topology[link.peer_namespace].links[link.peer];
    peer.peer_namespace = router;
    peer.peer = name;
  }
}

std::size_t carry_out(const Namespaces& namespaces, const std::vector<Change>& changes) {
  std::unique_ptr<Session> session;
  FirstEnds first_ends;
  const auto close = [&] {
    if (session) session->flush();
    session.reset();
  };
  for (const Change& change : changes) {
    if (std::holds_alternative<CreateNamespace>(change.operation)) {
      close();
      namespaces.create(change.name_space, kind_of(change.name_space));
    } else if (std::holds_alternative<RemoveNamespace>(change.operation)) {
      close();
      namespaces.remove(change.name_space);
    } else {
      if (!session || session->name() != change.name_space) {
        close();
        session = std::make_unique<Session>(namespaces, change.name_space);
      }
      session->add(change);
      if (const auto* create = std::get_if<CreateLink>(&change.operation))
        first_ends.created(change.name_space, *create);
      if (const auto* set = std::get_if<SetLink>(&change.operation))
        first_ends.brought_up(change.name_space, set->name);
    }
  }
  close();
  first_ends.wait(namespaces);
  return changes.size();
}

}  // namespace brume::network
