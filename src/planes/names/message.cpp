#include "planes/names/message.h"

#include <arpa/inet.h>

#include "core/text.h"
#include "planes/names/record_data.h"

namespace brume::names {
namespace {

constexpr std::uint16_t kOptType = 41;
constexpr std::size_t kMostRecordsRead = 64;
constexpr std::uint16_t kResponseBit = 0x8000, kAuthoritativeBit = 0x0400, kTruncatedBit = 0x0200,
                        kRecursionDesiredBit = 0x0100, kRecursionAvailableBit = 0x0080, kCheckingDisabledBit = 0x0010;

struct Header {
  std::uint16_t id = 0, flags = 0, questions = 0, answers = 0, authorities = 0, additionals = 0;
};

std::uint16_t u16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>((static_cast<std::uint8_t>(bytes[at]) << 8) |
                                    static_cast<std::uint8_t>(bytes[at + 1]));
}

std::uint32_t u32(std::string_view bytes, std::size_t at) {
  return (static_cast<std::uint32_t>(u16(bytes, at)) << 16) | u16(bytes, at + 2);
}

std::optional<Header> read_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  return Header{u16(bytes, 0), u16(bytes, 2), u16(bytes, 4), u16(bytes, 6), u16(bytes, 8), u16(bytes, 10)};
}

// One resource record's place in a message.
struct RecordPlace {
  std::string name;
  std::uint16_t type = 0, record_class = 0;
  std::uint32_t ttl = 0;
  std::size_t data = 0, data_bytes = 0;
};

bool read_record(std::string_view bytes, std::size_t& offset, RecordPlace& record) {
  if (!read_name(bytes, offset, record.name) || bytes.size() - offset < 10) return false;
  record.type = u16(bytes, offset);
  record.record_class = u16(bytes, offset + 2);
  record.ttl = u32(bytes, offset + 4);
  record.data_bytes = u16(bytes, offset + 8);
  record.data = offset + 10;
  if (bytes.size() - record.data < record.data_bytes) return false;
  offset = record.data + record.data_bytes;
  return true;
}

void append_header(std::string& out, const Header& header) {
  for (std::uint16_t field :
       {header.id, header.flags, header.questions, header.answers, header.authorities, header.additionals})
    append_u16(out, field);
}

void append_opt(std::string& out, Code code, bool dnssec_ok) {
  out.push_back('\0');
  append_u16(out, kOptType);
  append_u16(out, kUdpBytes);
  const auto extended = static_cast<std::uint32_t>(code) >> 4;
  append_u32(out, (extended << 24) | (dnssec_ok ? 0x8000U : 0U));
  append_u16(out, 0);
}

// False, with nothing left behind, when the owner or the value cannot be written.
bool append_record(NameWriter& writer, const std::string& owner, const Record& record) {
  std::string& out = writer.out();
  const std::size_t start = out.size();
  if (!writer.append(owner)) return false;
  append_u16(out, static_cast<std::uint16_t>(record.type));
  append_u16(out, 1);
  append_u32(out, record.ttl);
  const std::size_t length_at = out.size();
  append_u16(out, 0);
  if (!append_record_data(writer, record.type, record.value)) {
    writer.cut(start);
    return false;
  }
  const std::size_t length = out.size() - length_at - 2;
  out[length_at] = static_cast<char>(length >> 8);
  out[length_at + 1] = static_cast<char>(length & 0xff);
  return true;
}

void set_count(std::string& message, std::size_t at, std::uint16_t count) {
  message[at] = static_cast<char>(count >> 8);
  message[at + 1] = static_cast<char>(count & 0xff);
}

enum class Fit { yes, no, unwritable };

// Appends one record within `limit`; nothing is left behind when it does not fit or cannot be written.
Fit append_within(NameWriter& writer, const std::string& owner, const Record& record, std::size_t limit,
                  std::uint16_t& count) {
  const std::size_t before = writer.out().size();
  if (!append_record(writer, owner, record)) return Fit::unwritable;
  if (writer.out().size() > limit) {
    writer.cut(before);
    return Fit::no;
  }
  ++count;
  return Fit::yes;
}

bool read_options(std::string_view bytes, std::size_t offset, const Header& header, Query& query, int& version) {
  const std::size_t records = std::size_t{header.answers} + header.authorities + header.additionals;
  if (records > kMostRecordsRead) return false;
  for (std::size_t i = 0; i < records; ++i) {
    RecordPlace record;
    if (!read_record(bytes, offset, record)) return false;
    if (record.type != kOptType) continue;
    if (query.edns || !record.name.empty()) return false;  // RFC 6891: at most one OPT, owned by the root
    query.edns = true;
    query.udp_bytes = std::max<std::uint16_t>(record.record_class, 512);
    query.dnssec_ok = (record.ttl & 0x8000U) != 0;
    version = static_cast<int>((record.ttl >> 16) & 0xff);
  }
  return true;
}

}  // namespace

bool read_name(std::string_view message, std::size_t& offset, std::string& name) {
  name.clear();
  std::size_t at = offset, lowest = offset, octets = 1;
  bool jumped = false;
  while (true) {
    if (at >= message.size()) return false;
    const auto length = static_cast<std::uint8_t>(message[at]);
    if ((length & 0xc0) == 0xc0) {
      if (message.size() - at < 2) return false;
      const std::size_t target = u16(message, at) & 0x3fff;
      if (target >= lowest) return false;
      if (!jumped) offset = at + 2;
      jumped = true;
      at = lowest = target;
      continue;
    }
    if ((length & 0xc0) != 0) return false;
    if (length == 0) break;
    octets += std::size_t{length} + 1;
    if (octets > 255 || message.size() - at - 1 < length) return false;
    if (!name.empty()) name.push_back('.');
    append_label_text(name, message.substr(at + 1, length));
    at += std::size_t{length} + 1;
  }
  if (!jumped) offset = at + 1;
  return true;
}

std::expected<Query, Rejection> parse_query(std::string_view bytes) {
  const auto header = read_header(bytes);
  if (!header || (header->flags & kResponseBit) != 0 || bytes.size() > kLargestMessage)
    return std::unexpected(Rejection{});  // a response is never answered: two servers could talk for ever
  Rejection rejection{.id = header->id};
  if (((header->flags >> 11) & 0xf) != 0) {
    rejection.code = Code::not_implemented;
    return std::unexpected(rejection);
  }
  if (header->questions != 1) return std::unexpected(rejection);
  Query query;
  query.id = header->id;
  query.recursion_desired = (header->flags & kRecursionDesiredBit) != 0;
  query.checking_disabled = (header->flags & kCheckingDisabledBit) != 0;
  std::size_t offset = kHeaderBytes;
  if (!read_name(bytes, offset, query.name) || bytes.size() - offset < 4) return std::unexpected(rejection);
  // A pointer here could only lead into the header, which differs in the answer that repeats the question.
  const auto plain = name_to_wire(query.name);
  if (!plain || plain->size() != offset - kHeaderBytes) return std::unexpected(rejection);
  query.name = to_lower(query.name);
  query.type = u16(bytes, offset);
  query.query_class = u16(bytes, offset + 2);
  offset += 4;
  query.question = std::string(bytes.substr(kHeaderBytes, offset - kHeaderBytes));
  int version = 0;
  if (!read_options(bytes, offset, *header, query, version)) return std::unexpected(rejection);
  rejection.edns = query.edns;
  if (version != 0) {
    rejection.code = Code::bad_version;
    return std::unexpected(rejection);
  }
  return query;
}

bool answers(std::string_view response, std::uint16_t id, const Query& query) {
  const auto header = read_header(response);
  if (!header || header->id != id || (header->flags & kResponseBit) == 0 || header->questions != 1) return false;
  std::size_t offset = kHeaderBytes;
  std::string name;
  if (!read_name(response, offset, name) || response.size() - offset < 4) return false;
  return to_lower(name) == query.name && u16(response, offset) == query.type &&
         u16(response, offset + 2) == query.query_class;
}

std::uint16_t message_id(std::string_view message) { return message.size() < 2 ? std::uint16_t{0} : u16(message, 0); }

void set_message_id(std::string& message, std::uint16_t id) {
  if (message.size() >= 2) set_count(message, 0, id);
}

std::string write_response(const Query& query, const Response& response, std::size_t limit) {
  const std::size_t opt_bytes = query.edns ? 11 : 0;
  const std::size_t room = limit > opt_bytes ? limit - opt_bytes : 0;
  std::uint16_t flags = kResponseBit | kRecursionAvailableBit;
  if (response.authoritative) flags |= kAuthoritativeBit;
  if (query.recursion_desired) flags |= kRecursionDesiredBit;
  if (query.checking_disabled) flags |= kCheckingDisabledBit;
  flags |= static_cast<std::uint16_t>(static_cast<unsigned>(response.code) & 0xfU);
  std::string out;
  append_header(out, {.id = query.id, .flags = flags, .questions = 1});
  NameWriter writer(out);
  out += query.question;
  writer.know(query.name, kHeaderBytes);
  std::uint16_t answered = 0, authorities = 0;
  std::string owner = query.name;
  for (const Record& record : response.answers) {
    const Fit fit = append_within(writer, owner, record, room, answered);
    if (fit == Fit::no) flags |= kTruncatedBit;
    // What follows an alias belongs to its target: without the alias it would belong to nobody.
    if (fit == Fit::no || (fit == Fit::unwritable && record.type == RecordType::cname)) break;
    if (record.type == RecordType::cname) owner = to_lower(record.value);
  }
  if (response.authority) {
    const std::string& zone = response.authority->zone;
    const Record soa{.type = RecordType::soa,
                     .ttl = response.authority->ttl,
                     .value = "ns." + zone + (zone.empty() ? "" : ".") + " hostmaster." + zone +
                              (zone.empty() ? "" : ".") + " 1 7200 900 1209600 " +
                              std::to_string(response.authority->ttl)};
    append_within(writer, zone, soa, room, authorities);
  }
  if (query.edns) append_opt(out, response.code, query.dnssec_ok);
  set_count(out, 2, flags);
  set_count(out, 6, answered);
  set_count(out, 8, authorities);
  set_count(out, 10, query.edns ? 1 : 0);
  return out;
}

std::string write_rejection(const Rejection& rejection) {
  std::string out;
  if (!rejection.id) return out;
  const auto low = static_cast<std::uint16_t>(static_cast<unsigned>(rejection.code) & 0xfU);
  append_header(out, {.id = *rejection.id,
                      .flags = static_cast<std::uint16_t>(kResponseBit | low),
                      .additionals = rejection.edns ? std::uint16_t{1} : std::uint16_t{0}});
  if (rejection.edns) append_opt(out, rejection.code, false);
  return out;
}

std::string write_query(std::uint16_t id, std::string_view name, RecordType type, std::uint16_t edns_udp_bytes) {
  std::string out;
  append_header(out, {.id = id,
                      .flags = kRecursionDesiredBit,
                      .questions = 1,
                      .additionals = edns_udp_bytes != 0 ? std::uint16_t{1} : std::uint16_t{0}});
  NameWriter(out).append(std::string(name));
  append_u16(out, static_cast<std::uint16_t>(type));
  append_u16(out, 1);
  if (edns_udp_bytes != 0) {
    out.push_back('\0');
    append_u16(out, kOptType);
    append_u16(out, edns_udp_bytes);
    append_u32(out, 0);
    append_u16(out, 0);
  }
  return out;
}

std::optional<Answered> parse_response(std::string_view bytes) {
  const auto header = read_header(bytes);
  if (!header || (header->flags & kResponseBit) == 0 || header->questions > 1) return std::nullopt;
  Answered result;
  result.id = header->id;
  result.code = static_cast<Code>(header->flags & 0xf);
  result.truncated = (header->flags & kTruncatedBit) != 0;
  result.has_authority = header->authorities != 0;
  std::size_t offset = kHeaderBytes;
  if (header->questions == 1) {
    if (!read_name(bytes, offset, result.question_name) || bytes.size() - offset < 4) return std::nullopt;
    offset += 4;
  }
  for (std::size_t i = 0; i < header->answers; ++i) {
    RecordPlace place;
    if (!read_record(bytes, offset, place)) return std::nullopt;
    const auto type = static_cast<RecordType>(place.type);
    auto value = read_record_data(bytes, place.data, place.data_bytes, type);
    if (value) result.records.push_back({type, place.ttl, *value});
  }
  return result;
}

}  // namespace brume::names
