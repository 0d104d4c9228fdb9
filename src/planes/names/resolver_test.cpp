#include "planes/names/resolver.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>

namespace brume::names {
namespace {

class Socket {
 public:
  explicit Socket(int type) : descriptor(socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    timeval limit{.tv_sec = 10};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor >= 0) close(descriptor);
  }
  int release() { return std::exchange(descriptor, -1); }
  int descriptor;
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int bind_loopback(int descriptor) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

void connect_to(int descriptor, int port) {
  const sockaddr_in address = loopback(port);
  ASSERT_EQ(connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

std::string receive(int descriptor) {
  std::string buffer(65535, '\0');
  const ssize_t size = recv(descriptor, buffer.data(), buffer.size(), 0);
  buffer.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return buffer;
}

std::string framed(const std::string& message) {
  std::string text;
  text.push_back(static_cast<char>(message.size() >> 8));
  text.push_back(static_cast<char>(message.size() & 0xff));
  return text + message;
}

std::string read_frame(int descriptor) {
  std::string text(2, '\0');
  if (recv(descriptor, text.data(), 2, MSG_WAITALL) != 2) return {};
  std::string message(message_id(text), '\0');
  if (recv(descriptor, message.data(), message.size(), MSG_WAITALL) != static_cast<ssize_t>(message.size())) return {};
  return message;
}

struct Served {
  int udp_port = 0, tcp_port = 0;
};

Served serve(Resolver& resolver, const std::string& view) {
  Socket udp(SOCK_DGRAM), tcp(SOCK_STREAM);
  Served served{bind_loopback(udp.descriptor), bind_loopback(tcp.descriptor)};
  EXPECT_EQ(listen(tcp.descriptor, 16), 0);
  resolver.serve(view, udp.release(), tcp.release());
  return served;
}

Answered ask(const Served& served, const std::string& name, RecordType type, std::uint16_t edns = 0) {
  Socket socket(SOCK_DGRAM);
  connect_to(socket.descriptor, served.udp_port);
  const std::string query = write_query(99, name, type, edns);
  EXPECT_EQ(send(socket.descriptor, query.data(), query.size(), 0), static_cast<ssize_t>(query.size()));
  const auto answer = parse_response(receive(socket.descriptor));
  EXPECT_TRUE(answer) << name;
  EXPECT_EQ(answer.value_or(Answered{}).id, 99);
  return answer.value_or(Answered{.code = Code::refused});
}

Answered ask_tcp(const Served& served, const std::string& name, RecordType type) {
  Socket socket(SOCK_STREAM);
  connect_to(socket.descriptor, served.tcp_port);
  const std::string query = framed(write_query(98, name, type));
  EXPECT_EQ(send(socket.descriptor, query.data(), query.size(), 0), static_cast<ssize_t>(query.size()));
  return parse_response(read_frame(socket.descriptor)).value_or(Answered{.code = Code::refused});
}

std::vector<Record> many_addresses(int count) {
  std::vector<Record> records;
  for (int i = 0; i < count; ++i) records.push_back({RecordType::a, 60, "198.19.1." + std::to_string(i)});
  return records;
}

// What the host's resolvers know in these tests: another resolver with a zone of its own.
class ResolverTest : public testing::Test {
 protected:
  ResolverTest() {
    world_zone->put("", "example.org", {{RecordType::a, 60, "203.0.113.5"}, {RecordType::soa, 60, "a b 1 2 3 4 5"}});
    world_zone->put("", "big.example.org", many_addresses(200));
    world = make_resolver(*world_zone, {});
    world_served = serve(*world, "");
    zone->put("", "app.elb.amazonaws.com", {{RecordType::a, 60, "198.19.0.1"}, {RecordType::a, 60, "198.19.0.2"}});
    zone->put("vpc-1", "db.internal", {{RecordType::a, 60, "10.0.1.10"}});
    zone->put("vpc-1", "10.1.0.10.in-addr.arpa", {{RecordType::ptr, 60, "db.internal"}});
  }
  std::unique_ptr<Resolver> resolver_over(std::vector<Upstream> upstreams) {
    return make_resolver(*zone, {.upstreams = [upstreams = std::move(upstreams)] { return upstreams; },
                                 .attempt = std::chrono::milliseconds(200)});
  }
  // UDP and TCP of the fake world listen on different ports; a forwarder dials one number for both.
  Upstream world_udp() const { return {"127.0.0.1", world_served.udp_port}; }
  Upstream world_tcp() const { return {"127.0.0.1", world_served.tcp_port}; }

  std::unique_ptr<Zone> world_zone = make_zone(), zone = make_zone();
  std::unique_ptr<Resolver> world;
  Served world_served;
};

TEST_F(ResolverTest, AnswersOverUdpAndTcpAndRotates) {
  const auto resolver = resolver_over({});
  const Served served = serve(*resolver, "");
  std::set<std::string> first;
  for (int i = 0; i < 4; ++i) {
    const Answered answer = ask(served, "App.elb.amazonaws.com", RecordType::a);
    EXPECT_EQ(answer.question_name, "App.elb.amazonaws.com");
    ASSERT_EQ(answer.records.size(), 2U);
    first.insert(answer.records[0].value);
  }
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(ask_tcp(served, "app.elb.amazonaws.com", RecordType::a).records.size(), 2U);
  EXPECT_EQ(resolver->counts().answered, 5U);
}

TEST_F(ResolverTest, SaysNoDataForAaaaAndNameErrorForUnservedAwsNames) {
  const auto resolver = resolver_over({world_udp()});
  const Served served = serve(*resolver, "");
  const Answered no_data = ask(served, "app.elb.amazonaws.com", RecordType::aaaa);
  EXPECT_EQ(no_data.code, Code::no_error);
  EXPECT_TRUE(no_data.records.empty() && no_data.has_authority);
  const Answered absent = ask(served, "polly.eu-west-1.amazonaws.com", RecordType::a);
  EXPECT_EQ(absent.code, Code::name_error);
  EXPECT_TRUE(absent.has_authority);
  ask(served, "polly.eu-west-1.amazonaws.com", RecordType::aaaa);
  EXPECT_EQ(resolver->counts().refused_aws, 2U);
  EXPECT_EQ(resolver->counts().forwarded, 0U);
  EXPECT_EQ(resolver->unserved_aws_names(),
            (std::vector<std::pair<std::string, std::uint64_t>>{{"polly.eu-west-1.amazonaws.com", 2}}));
}

TEST_F(ResolverTest, TruncatesOverUdpAndAnswersWholeOverTcp) {
  zone->put("", "many.amazonaws.com", many_addresses(100));
  const auto resolver = resolver_over({});
  const Served served = serve(*resolver, "");
  const Answered small = ask(served, "many.amazonaws.com", RecordType::a);
  EXPECT_TRUE(small.truncated);
  const Answered larger = ask(served, "many.amazonaws.com", RecordType::a, 4096);
  EXPECT_TRUE(larger.truncated);
  EXPECT_GT(larger.records.size(), small.records.size());
  EXPECT_EQ(ask_tcp(served, "many.amazonaws.com", RecordType::a).records.size(), 100U);
}

TEST_F(ResolverTest, AVpcSeesItsOwnNamesAndReverseNames) {
  const auto resolver = resolver_over({});
  const Served vpc = serve(*resolver, "vpc-1"), internet = serve(*resolver, "");
  EXPECT_EQ(ask(vpc, "db.internal", RecordType::a).records.size(), 1U);
  EXPECT_EQ(ask(internet, "db.internal", RecordType::a).code, Code::name_error);
  const Answered reverse = ask(vpc, "10.1.0.10.in-addr.arpa", RecordType::ptr);
  ASSERT_EQ(reverse.records.size(), 1U);
  EXPECT_EQ(reverse.records[0].value, "db.internal");
}

TEST_F(ResolverTest, ForwardsForeignNamesOnlyWhereAllowed) {
  const auto resolver = resolver_over({world_udp()});
  const Served internet = serve(*resolver, ""), vpc = serve(*resolver, "vpc-1");
  ASSERT_EQ(ask(internet, "eXample.org", RecordType::a).records.size(), 1U);
  EXPECT_EQ(ask(internet, "nothing.example.org", RecordType::a).code, Code::name_error);
  EXPECT_EQ(ask(vpc, "example.org", RecordType::a).code, Code::name_error) << "workloads stay inside";
  resolver->set_forwarding("vpc-1", true);
  EXPECT_EQ(ask(vpc, "example.org", RecordType::a).records.size(), 1U);
  resolver->set_offline(true);
  EXPECT_EQ(ask(internet, "example.org", RecordType::a).code, Code::name_error);
  EXPECT_EQ(ask(internet, "metadata.google.internal", RecordType::a).code, Code::name_error);
  EXPECT_EQ(resolver->counts().forwarded, 3U);
}

TEST_F(ResolverTest, ForwardsOverTcpWhatCameOverTcp) {
  const auto resolver = resolver_over({world_tcp()});
  const Served served = serve(*resolver, "");
  EXPECT_EQ(ask_tcp(served, "big.example.org", RecordType::a).records.size(), 200U);
}

TEST_F(ResolverTest, AsksTheNextServerWhenOneIsSilentAndFailsWhenAllAre) {
  Socket silent(SOCK_DGRAM);
  const Upstream dead{"127.0.0.1", bind_loopback(silent.descriptor)};
  const auto resolver = resolver_over({dead, world_udp()});
  EXPECT_EQ(ask(serve(*resolver, ""), "example.org", RecordType::a).records.size(), 1U);
  EXPECT_FALSE(receive(silent.descriptor).empty()) << "it was asked first";
  const auto hopeless = resolver_over({dead});
  EXPECT_EQ(ask(serve(*hopeless, ""), "example.org", RecordType::a).code, Code::server_failure);
}

TEST_F(ResolverTest, IgnoresForgedAnswers) {
  Socket upstream(SOCK_DGRAM);
  const Upstream place{"127.0.0.1", bind_loopback(upstream.descriptor)};
  std::thread forger([&] {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    std::string query(512, '\0');
    const ssize_t got =
        recvfrom(upstream.descriptor, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    query.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    const auto parsed = parse_query(query);
    if (!parsed) return;
    const auto reply = [&](std::uint16_t id, const std::string& address) {
      std::string text = write_response(*parsed, {.answers = {{RecordType::a, 60, address}}}, 512);
      set_message_id(text, id);
      sendto(upstream.descriptor, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&peer), size);
    };
    reply(static_cast<std::uint16_t>(parsed->id + 1), "203.0.113.66");
    reply(parsed->id, "203.0.113.7");
  });
  const auto resolver = resolver_over({place});
  const Answered answer = ask(serve(*resolver, ""), "example.org", RecordType::a);
  forger.join();
  ASSERT_EQ(answer.records.size(), 1U);
  EXPECT_EQ(answer.records[0].value, "203.0.113.7");
}

TEST_F(ResolverTest, AnswersManyQuestionsOfOneConnection) {
  const auto resolver = resolver_over({});
  const Served served = serve(*resolver, "");
  Socket socket(SOCK_STREAM);
  connect_to(socket.descriptor, served.tcp_port);
  std::string all;
  for (std::uint16_t id = 0; id < 200; ++id) all += framed(write_query(id, "app.elb.amazonaws.com", RecordType::a));
  ASSERT_EQ(send(socket.descriptor, all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  shutdown(socket.descriptor, SHUT_WR);
  std::set<int> ids;
  for (int i = 0; i < 200; ++i) ids.insert(message_id(read_frame(socket.descriptor)));
  EXPECT_EQ(ids.size(), 200U);
  EXPECT_EQ(receive(socket.descriptor), "") << "and closes when the client has ended";
}

TEST_F(ResolverTest, ClosesIdleConnectionsAndStoppedViews) {
  const auto resolver = make_resolver(
      *zone, {.upstreams = [] { return std::vector<Upstream>(); }, .idle = std::chrono::milliseconds(50)});
  const Served served = serve(*resolver, "vpc-1");
  Socket idle(SOCK_STREAM);
  connect_to(idle.descriptor, served.tcp_port);
  char byte = 0;
  EXPECT_EQ(recv(idle.descriptor, &byte, 1, 0), 0) << "closed by the resolver";
  resolver->stop("vpc-1");
  const Served other = serve(*resolver, "vpc-2");
  ask(other, "app.elb.amazonaws.com", RecordType::a);  // commands are done in order: the stop came before
  Socket refused(SOCK_STREAM);
  const sockaddr_in address = loopback(served.tcp_port);
  EXPECT_NE(connect(refused.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

TEST_F(ResolverTest, ServesTheCLibrarysResolver) {
  zone->put("", "many.amazonaws.com", many_addresses(100));
  const auto resolver = resolver_over({});
  const Served served = serve(*resolver, "");
  struct __res_state state{};
  ASSERT_EQ(res_ninit(&state), 0);
  state.nscount = 1;
  state.nsaddr_list[0] = loopback(served.udp_port);
  std::array<unsigned char, 4096> answer{};
  const auto look_up = [&](const char* name, int type) {
    return res_nquery(&state, name, ns_c_in, type, answer.data(), static_cast<int>(answer.size()));
  };
  const int size = look_up("app.elb.amazonaws.com", ns_t_a);
  ASSERT_GT(size, 0);
  const auto parsed = parse_response({reinterpret_cast<const char*>(answer.data()), static_cast<std::size_t>(size)});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->records.size(), 2U);
  EXPECT_EQ(look_up("app.elb.amazonaws.com", ns_t_aaaa), -1);
  EXPECT_EQ(state.res_h_errno, NO_DATA);
  EXPECT_EQ(look_up("polly.eu-west-1.amazonaws.com", ns_t_a), -1);
  EXPECT_EQ(state.res_h_errno, HOST_NOT_FOUND);
  res_nclose(&state);
}

TEST(ParseResolvConf, TakesThreeServersAndFallsBackToLoopback) {
  const auto servers = parse_resolv_conf(
      "# comment\nsearch a b\nnameserver 192.0.2.1\nnameserver\t2001:db8::1%eth0 # x\nnameserver nonsense\n"
      "nameserver 192.0.2.2\nnameserver 192.0.2.3\noptions timeout:1\n");
  ASSERT_EQ(servers.size(), 3U);
  EXPECT_EQ(servers[1].address, "2001:db8::1");
  EXPECT_EQ(servers[2].address, "192.0.2.2");
  ASSERT_EQ(parse_resolv_conf("").size(), 1U);
  EXPECT_EQ(parse_resolv_conf("")[0].address, "127.0.0.1");
}

}  // namespace
}  // namespace brume::names
