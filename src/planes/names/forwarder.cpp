#include "planes/names/forwarder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "core/system.h"
#include "core/text.h"

namespace brume::names {
namespace {

constexpr std::size_t kMostQuestions = 512;
constexpr int kAttempts = 3;

socklen_t socket_address(const Upstream& upstream, sockaddr_storage& address) {
  std::memset(&address, 0, sizeof address);
  in6_addr six{};
  in_addr four{};
  if (inet_pton(AF_INET, upstream.address.c_str(), &four) == 1) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(upstream.port));
    in.sin_addr = four;
    std::memcpy(&address, &in, sizeof in);
    return sizeof in;
  }
  if (inet_pton(AF_INET6, upstream.address.c_str(), &six) == 1) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(static_cast<std::uint16_t>(upstream.port));
    in.sin6_addr = six;
    std::memcpy(&address, &in, sizeof in);
    return sizeof in;
  }
  return 0;
}

}  // namespace

struct Forwarder::Question {
  Query query;
  std::string bytes;  // as sent upstream
  std::uint16_t upstream_id = 0;
  bool tcp = false;
  Done done;
  std::vector<Upstream> upstreams;
  int attempts = 0;
  int descriptor = -1;
  Poller::TimerId timer = 0;
  std::string output, input;
  std::optional<std::string> response;
};

std::vector<Upstream> parse_resolv_conf(std::string_view text) {
  std::vector<Upstream> servers;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (!line.starts_with("nameserver") || line.size() < 12 || (line[10] != ' ' && line[10] != '\t')) continue;
    std::string_view address = trim(line.substr(10));
    address = address.substr(0, address.find_first_of(" \t%#;"));
    sockaddr_storage storage;
    if (servers.size() < 3 && socket_address({std::string(address)}, storage) != 0)
      servers.push_back({std::string(address)});
  }
  if (servers.empty()) servers.push_back({"127.0.0.1"});
  return servers;
}

std::vector<Upstream> host_upstreams() { return parse_resolv_conf(read_file("/etc/resolv.conf")); }

Forwarder::Forwarder(Poller& poller, std::function<std::vector<Upstream>()> upstreams,
                     std::chrono::milliseconds attempt)
    : poller_(poller), upstreams_(std::move(upstreams)), attempt_span_(attempt), random_(system_random()) {}

Forwarder::~Forwarder() {
  for (auto& [id, question] : questions_) close_attempt(*question);
}

void Forwarder::forward(Query query, std::string_view bytes, bool over_tcp, Done done) {
  if (questions_.size() >= kMostQuestions) {
    done(std::nullopt);
    return;
  }
  auto question = std::make_unique<Question>();
  question->query = std::move(query);
  question->bytes = std::string(bytes);
  question->upstream_id = static_cast<std::uint16_t>(random_->below(0x10000));
  set_message_id(question->bytes, question->upstream_id);
  question->tcp = over_tcp;
  question->done = std::move(done);
  question->upstreams = upstreams_();
  const std::uint64_t id = next_++;
  questions_[id] = std::move(question);
  attempt(id);
}

void Forwarder::attempt(std::uint64_t id) {
  Question& question = *questions_.at(id);
  close_attempt(question);
  while (question.attempts < kAttempts && !question.upstreams.empty()) {
    const auto server = static_cast<std::size_t>(question.attempts++) % question.upstreams.size();
    if (!open(question, question.upstreams[server])) continue;
    question.timer = poller_.after(attempt_span_, [this, id] { attempt(id); });
    poller_.add(question.descriptor, question.tcp ? EPOLLOUT : EPOLLIN,
                [this, id](std::uint32_t events) { ready(id, events); });
    return;
  }
  finish(id, std::nullopt);
}

bool Forwarder::open(Question& question, const Upstream& upstream) {
  sockaddr_storage address;
  const socklen_t size = socket_address(upstream, address);
  if (size == 0) return false;
  const int type = question.tcp ? SOCK_STREAM : SOCK_DGRAM;
  const int descriptor = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return false;
  bool begun = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), size) == 0 ||
               (question.tcp && errno == EINPROGRESS);
  if (begun && !question.tcp)
    begun = send(descriptor, question.bytes.data(), question.bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(question.bytes.size());
  if (!begun) {
    ::close(descriptor);
    return false;
  }
  question.descriptor = descriptor;
  question.input.clear();
  question.output.clear();
  if (question.tcp) {
    question.output.push_back(static_cast<char>(question.bytes.size() >> 8));
    question.output.push_back(static_cast<char>(question.bytes.size() & 0xff));
    question.output += question.bytes;
  }
  return true;
}

void Forwarder::ready(std::uint64_t id, std::uint32_t events) {
  Question& question = *questions_.at(id);
  const bool going_on = question.tcp ? exchange_tcp(question, events) : exchange_udp(question);
  if (question.response) {
    set_message_id(*question.response, question.query.id);
    auto response = std::move(question.response);
    finish(id, std::move(response));
  } else if (!going_on) {
    attempt(id);
  }
}

bool Forwarder::exchange_udp(Question& question) {
  std::string buffer(kLargestMessage, '\0');
  while (true) {
    const ssize_t size = recv(question.descriptor, buffer.data(), buffer.size(), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    const std::string_view message(buffer.data(), static_cast<std::size_t>(size));
    if (!answers(message, question.upstream_id, question.query)) continue;
    question.response = std::string(message);
    return true;
  }
}

bool Forwarder::exchange_tcp(Question& question, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !question.output.empty()) {
    const ssize_t sent = send(question.descriptor, question.output.data(), question.output.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    question.output.erase(0, static_cast<std::size_t>(sent));
    if (question.output.empty()) poller_.change(question.descriptor, EPOLLIN);
    return true;
  }
  std::array<char, 16384> buffer{};
  const ssize_t size = recv(question.descriptor, buffer.data(), buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  question.input.append(buffer.data(), static_cast<std::size_t>(size));
  if (question.input.size() < 2) return true;
  const std::size_t length = message_id(question.input);  // the length stands where a datagram has its id
  if (question.input.size() < length + 2) return true;
  std::string message = question.input.substr(2, length);
  if (!answers(message, question.upstream_id, question.query)) return false;
  question.response = std::move(message);
  return true;
}

void Forwarder::close_attempt(Question& question) {
  if (question.timer != 0) poller_.cancel(std::exchange(question.timer, 0));
  if (question.descriptor < 0) return;
  poller_.remove(question.descriptor);
  ::close(std::exchange(question.descriptor, -1));
}

void Forwarder::finish(std::uint64_t id, std::optional<std::string> response) {
  auto question = std::move(questions_.at(id));
  questions_.erase(id);
  close_attempt(*question);
  question->done(std::move(response));
}

}  // namespace brume::names
