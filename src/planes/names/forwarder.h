// Asks the host's resolvers for names that are not ours. One socket and one random id per question, so that answers
// cannot be guessed; bounded in number and time. Used on the resolver's thread, in the host's network namespace.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "planes/names/message.h"
#include "planes/names/poller.h"

namespace brume::names {

struct Upstream {
  std::string address;  // IPv4 or IPv6
  int port = 53;
};

// The name servers of a resolv.conf, at most three; 127.0.0.1 when it names none (resolv.conf(5)).
std::vector<Upstream> parse_resolv_conf(std::string_view text);
std::vector<Upstream> host_upstreams();

class Forwarder final {
 public:
  // Each of three attempts is given `attempt`.
  Forwarder(Poller& poller, std::function<std::vector<Upstream>()> upstreams, std::chrono::milliseconds attempt);
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;
  ~Forwarder();

  // The response with the query's own id; nullopt when no server answered, or too many questions are under way.
  using Done = std::function<void(std::optional<std::string> response)>;
  void forward(Query query, std::string_view bytes, bool over_tcp, Done done);

 private:
  struct Question;
  void attempt(std::uint64_t id);
  bool open(Question& question, const Upstream& upstream);
  void ready(std::uint64_t id, std::uint32_t events);
  bool exchange_udp(Question& question);
  bool exchange_tcp(Question& question, std::uint32_t events);
  void close_attempt(Question& question);
  void finish(std::uint64_t id, std::optional<std::string> response);

  Poller& poller_;
  std::function<std::vector<Upstream>()> upstreams_;
  std::chrono::milliseconds attempt_span_;
  std::unique_ptr<Random> random_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Question>> questions_;
};

}  // namespace brume::names
