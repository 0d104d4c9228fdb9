// DNS messages: reading what clients and upstream resolvers send, writing what we answer (RFC 1035, 6891). Pure
// functions over bytes; everything read is checked against limits first. Used on the resolver's thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planes/names/names.h"

namespace brume::names {

// Response codes; 16 needs EDNS.
enum class Code : std::uint16_t {
  no_error = 0,
  format_error = 1,
  server_failure = 2,
  name_error = 3,  // NXDOMAIN
  not_implemented = 4,
  refused = 5,
  bad_version = 16
};

inline constexpr std::size_t kHeaderBytes = 12;
inline constexpr std::size_t kLargestMessage = 65535;
// What we accept and send over UDP at most: DNS Flag Day 2020's value, which fits an IPv6 minimum MTU.
inline constexpr std::uint16_t kUdpBytes = 1232;

struct Query {
  std::uint16_t id = 0;
  bool recursion_desired = false, checking_disabled = false;
  std::string name;      // lower case, no trailing dot; "" is the root; bytes that are no host name's are \DDD
  std::string question;  // the question section as sent: the answer repeats it with its letters' case (0x20)
  std::uint16_t type = 0, query_class = 1;
  bool edns = false, dnssec_ok = false;
  std::uint16_t udp_bytes = 512;  // what the client takes over UDP
};

// Why bytes are no query that we answer. Without an id nothing is answered at all.
struct Rejection {
  std::optional<std::uint16_t> id;
  Code code = Code::format_error;
  bool edns = false;
};

std::expected<Query, Rejection> parse_query(std::string_view bytes);

// Reads the name at `offset` (compression followed, at most 255 octets) and moves `offset` behind it. False if it is no
// valid name. Pointers may only point before the name they continue, so that every chain ends.
bool read_name(std::string_view message, std::size_t& offset, std::string& name);

// True when `response` is a response with this id to this question (letter case ignored).
bool answers(std::string_view response, std::uint16_t id, const Query& query);
std::uint16_t message_id(std::string_view message);
void set_message_id(std::string& message, std::uint16_t id);

// The start of authority that accompanies a negative answer (RFC 2308).
struct StartOfAuthority {
  std::string zone;
  std::uint32_t ttl = 5;
};

struct Response {
  Code code = Code::no_error;
  bool authoritative = true;
  std::vector<Record> answers;  // the first belongs to the question's name; after a CNAME the owner is its target
  std::optional<StartOfAuthority> authority;
};
// At most `limit` bytes: what does not fit is left out and the truncation bit is set. Records whose value cannot be
// read as their type are left out.
std::string write_response(const Query& query, const Response& response, std::size_t limit);
std::string write_rejection(const Rejection& rejection);

// A query as a client sends it, for tests and tools.
std::string write_query(std::uint16_t id, std::string_view name, RecordType type, std::uint16_t edns_udp_bytes = 0);

// The records of a response's answer section, names decompressed; nullopt if it is malformed.
struct Answered {
  std::uint16_t id = 0;
  Code code = Code::no_error;
  bool truncated = false;
  std::string question_name;  // letters as sent
  std::vector<Record> records;
  bool has_authority = false;
};
std::optional<Answered> parse_response(std::string_view bytes);

}  // namespace brume::names
