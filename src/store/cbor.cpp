#include "store/cbor.h"

#include <bit>
#include <limits>

namespace brume {
namespace {

constexpr unsigned kUnsigned = 0, kNegative = 1, kBytes = 2, kText = 3, kArray = 4, kMap = 5, kTag = 6, kSimple = 7;
constexpr unsigned kFalse = 20, kTrue = 21, kNull = 22, kDouble = 27;

}  // namespace

void throw_damaged_record(std::string_view what) {
  throw StoreError("A stored record is damaged: " + std::string(what) +
                   ". Restore the state directory from a copy, or start with another one (--state).");
}

void CborWriter::long_head(unsigned major, std::uint64_t value) {
  const unsigned power = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
  out_ += static_cast<char>(major << 5 | (24 + power));
  for (int i = (1 << power) - 1; i >= 0; --i) out_ += static_cast<char>(value >> (8 * i) & 0xff);
}

void CborWriter::integer(std::int64_t value) {
  if (value >= 0) {
    head(kUnsigned, static_cast<std::uint64_t>(value));
  } else {
    head(kNegative, ~static_cast<std::uint64_t>(value));
  }
}

void CborWriter::unsigned_integer(std::uint64_t value) { head(kUnsigned, value); }

void CborWriter::real(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  out_ += static_cast<char>(kSimple << 5 | kDouble);
  for (int i = 7; i >= 0; --i) out_ += static_cast<char>(bits >> (8 * i) & 0xff);
}

void CborWriter::boolean(bool value) { head(kSimple, value ? kTrue : kFalse); }
void CborWriter::null() { head(kSimple, kNull); }

void CborWriter::bytes(std::string_view value) {
  head(kBytes, value.size());
  out_ += value;
}

void CborWriter::text(std::string_view value) {
  head(kText, value.size());
  out_ += value;
}

void CborWriter::array(std::size_t count) { head(kArray, count); }
void CborWriter::map(std::size_t count) { head(kMap, count); }

// The head is made for the most there can be, and corrected: one byte, and a second one when one cannot hold it.
std::size_t CborWriter::open_map(std::size_t most) {
  const std::size_t opened = out_.size();
  head(kMap, most);
  return opened;
}

void CborWriter::close_map(std::size_t opened, std::size_t count) {
  constexpr char kOneByteMore = static_cast<char>(kMap << 5 | 24);
  if (out_[opened] == kOneByteMore)
    out_[opened + 1] = static_cast<char>(count);
  else
    out_[opened] = static_cast<char>(kMap << 5 | count);
}

void CborReader::throw_too_deep() { throw_damaged_record("nested too deeply"); }

CborReader::Head CborReader::head() {
  if (rest_.empty()) throw_damaged_record("ends early");
  const unsigned first = static_cast<unsigned char>(rest_.front());
  rest_.remove_prefix(1);
  Head result{first >> 5U, first & 31U, first & 31U};
  if (result.information < 24) return result;
  if (result.information > 27) throw_damaged_record("an unknown length form");
  const std::size_t size = std::size_t{1} << (result.information - 24);
  if (rest_.size() < size) throw_damaged_record("ends early");
  result.value = 0;
  for (std::size_t i = 0; i < size; ++i) result.value = result.value << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(size);
  return result;
}

CborReader::Head CborReader::head(unsigned major) {
  const Head result = head();
  if (result.major != major) throw_damaged_record("a value of another type than its member's");
  return result;
}

bool CborReader::next_is_null() const {
  return !rest_.empty() && static_cast<unsigned char>(rest_.front()) == (kSimple << 5 | kNull);
}

std::int64_t CborReader::integer() {
  const Head item = head();
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (item.major > kNegative || item.value > kLargest) throw_damaged_record("not an integer");
  const auto value = static_cast<std::int64_t>(item.value);
  return item.major == kNegative ? -1 - value : value;
}

std::uint64_t CborReader::unsigned_integer() { return head(kUnsigned).value; }

double CborReader::real() {
  if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) >> 5 != kSimple)
    return static_cast<double>(integer());
  const Head item = head(kSimple);
  if (item.information != kDouble) throw_damaged_record("not a number");
  return std::bit_cast<double>(item.value);
}

bool CborReader::boolean() {
  const Head item = head(kSimple);
  if (item.information != kFalse && item.information != kTrue) throw_damaged_record("not a boolean");
  return item.information == kTrue;
}

void CborReader::null() {
  if (head(kSimple).information != kNull) throw_damaged_record("not null");
}

std::string_view CborReader::string() {
  const Head item = head();
  if (item.major != kBytes && item.major != kText) throw_damaged_record("not a string");
  if (item.value > rest_.size()) throw_damaged_record("ends early");
  const std::string_view value = rest_.substr(0, item.value);
  rest_.remove_prefix(item.value);
  return value;
}

std::size_t CborReader::count(unsigned major, std::size_t smallest_item) {
  const Head item = head(major);
  // Every item takes a byte at least: a count beyond the bytes left is damage, and must not reach an allocation.
  if (item.value > rest_.size() / smallest_item) throw_damaged_record("ends early");
  return item.value;
}

std::size_t CborReader::array() { return count(kArray, 1); }
std::size_t CborReader::map() { return count(kMap, 2); }

void CborReader::skip() {
  const Level level(*this);
  if (rest_.empty()) throw_damaged_record("ends early");
  switch (static_cast<unsigned char>(rest_.front()) >> 5) {
    case kBytes:
    case kText:
      string();
      break;
    case kArray:
      for (std::size_t i = array(); i > 0; --i) skip();
      break;
    case kMap:
      for (std::size_t i = map(); i > 0; --i) {
        skip();
        skip();
      }
      break;
    case kTag:
      head();
      skip();
      break;
    default:
      head();
  }
}

}  // namespace brume
