#include "front/protocols/cbor_items.h"

#include <bit>
#include <cmath>
#include <limits>

#include "front/protocols/protocol.h"

namespace brume::protocols {
namespace {

constexpr unsigned kIndefinite = 31;

// RFC 8949, appendix D: a sign, five bits of exponent, ten of fraction.
double half_float(std::uint64_t bits) {
  const auto exponent = static_cast<int>(bits >> 10 & 0x1f);
  const auto fraction = static_cast<double>(bits & 0x3ff);
  double value = 0;
  if (exponent == 0)
    value = std::ldexp(fraction, -24);
  else if (exponent != 31)
    value = std::ldexp(fraction + 1024, exponent - 25);
  else
    value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

std::string_view CborItems::take(std::uint64_t size) {
  if (size > rest_.size()) throw CborError("The document ends early.");
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint64_t CborItems::argument(unsigned information) {
  if (information < 24) return information;
  if (information > 27) throw CborError("A head has a reserved form.");
  std::uint64_t value = 0;
  for (const char byte : take(std::uint64_t{1} << (information - 24)))
    value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

CborItem CborItems::next() {
  using enum CborItem::Type;
  constexpr CborItem::Type kMajor[] = {natural, negative, bytes, text, array, map, tag};
  const auto first = static_cast<unsigned char>(take(1).front());
  const unsigned major = first >> 5U, information = first & 31U;
  CborItem item;
  if (major < 7) {
    item.type = kMajor[major];
    item.indefinite = information == kIndefinite && major >= 2 && major <= 5;
    if (!item.indefinite) item.value = argument(information);
    return item;
  }
  if (information == kIndefinite) return item.type = stop, item;
  const std::uint64_t value = argument(information);
  if (information >= 25) {
    item.type = number;
    if (information == 25) item.number = half_float(value);
    if (information == 26) item.number = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value)));
    if (information == 27) item.number = std::bit_cast<double>(value);
  } else if (value == 20 || value == 21) {
    item.type = boolean;
    item.truth = value == 21;
  } else if (value != 22 && value != 23) {  // null, and undefined, which is read as null
    throw CborError("A simple value has no meaning.");
  }
  return item;
}

std::string CborItems::string(const CborItem& head) {
  if (!head.indefinite) return std::string(take(head.value));
  std::string whole;
  for (CborItem chunk = next(); !chunk.is(CborItem::Type::stop); chunk = next()) {
    if (chunk.type != head.type || chunk.indefinite) throw CborError("A chunk is of another type than its string.");
    whole += take(chunk.value);
  }
  return whole;
}

void CborItems::skip(const CborItem& head, int depth) {
  using enum CborItem::Type;
  if (depth > kDeepestDocument) throw CborError("The document is nested too deeply.");
  if (head.is(stop)) throw CborError("A stop has nothing to stop.");
  if (head.is(bytes) || head.is(text)) {
    string(head);
  } else if (head.is(tag)) {
    skip(next(), depth + 1);
  } else if (head.is(array) || head.is(map)) {
    CborChildren children(*this, head);
    for (CborItem child; children.more(child);) {
      skip(child, depth + 1);
      if (head.is(map)) skip(next(), depth + 1);
    }
  }
}

bool CborChildren::more(CborItem& child) {
  if (!head_.indefinite && seen_++ == head_.value) return false;
  child = items_.next();
  if (!child.is(CborItem::Type::stop)) return true;
  if (!head_.indefinite) throw CborError("A stop has nothing to stop.");
  return false;
}

void CborItemWriter::head(unsigned major, std::uint64_t value) {
  const auto first = [&](unsigned information) { out_ += static_cast<char>(major << 5U | information); };
  if (value < 24) return first(static_cast<unsigned>(value));
  const unsigned power = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
  first(24 + power);
  for (int shift = (8 << power) - 8; shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift & 0xff);
}

void CborItemWriter::text(std::string_view value) {
  head(3, value.size());
  out_ += value;
}

void CborItemWriter::bytes(std::string_view value) {
  head(2, value.size());
  out_ += value;
}

void CborItemWriter::integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  value >= 0 ? head(0, bits) : head(1, ~bits);
}

void CborItemWriter::number(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  out_ += '\xfb';
  for (int shift = 56; shift >= 0; shift -= 8) out_ += static_cast<char>(bits >> shift & 0xff);
}

void CborItemWriter::epoch_seconds(double value) {
  head(6, kEpochTime);
  number(value);
}

}  // namespace brume::protocols
