// Fuzz target: CBOR records. The record reader throws StoreError or yields a record that survives its own round trip;
// the bare reader walks over exactly the items that a second, plain reading of RFC 8949 finds.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "store/record.h"

namespace brume {
namespace {

struct Node {
  std::string name;
  std::int32_t number = 1;
  std::uint8_t small = 0;
  double ratio = 0;
  bool flag = false;
  Time time;
  Scope scope;
  opt<std::string> maybe;
  std::vector<std::pair<std::string, std::int64_t>> pairs;
  std::set<std::string> names;
  std::map<std::string, box<Node>> children;
};
BOOST_DESCRIBE_STRUCT(Node, (), (name, number, small, ratio, flag, time, scope, maybe, pairs, names, children))

// The size of the item that the bytes start with, or nothing if it is cut off or of a form that records do not have.
std::optional<std::size_t> item_size(std::string_view bytes, int depth) {
  if (bytes.empty() || depth > 63) return std::nullopt;
  const unsigned first = static_cast<unsigned char>(bytes[0]), major = first / 32, information = first % 32;
  std::size_t at = 1;
  std::uint64_t value = information;
  if (information >= 24) {
    if (information > 27) return std::nullopt;
    const std::size_t size = std::size_t{1} << (information - 24);
    if (bytes.size() < at + size) return std::nullopt;
    value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value * 256 + static_cast<unsigned char>(bytes[at + i]);
    at += size;
  }
  if (major == 2 || major == 3) return value > bytes.size() - at ? std::nullopt : std::optional(at + value);
  std::uint64_t items = major == 4 ? value : major == 5 ? value : major == 6 ? 1 : 0;
  if ((major == 4 || major == 5) && value > (bytes.size() - at) / (major - 3)) return std::nullopt;
  if (major == 5) items *= 2;
  for (; items > 0; --items) {
    const auto size = item_size(bytes.substr(at), depth + 1);
    if (!size) return std::nullopt;
    at += *size;
  }
  return at;
}

// Items one after another: the reader is at the end exactly when the plain reading is.
void check_reader(std::string_view bytes) {
  CborReader reader(bytes);
  while (!bytes.empty()) {
    BRUME_CHECK(!reader.at_end());
    const auto expected = item_size(bytes, 0);
    try {
      reader.skip();
    } catch (const StoreError&) {
      BRUME_CHECK(!expected);
      return;
    }
    BRUME_CHECK(expected.has_value());
    bytes.remove_prefix(*expected);
  }
  BRUME_CHECK(reader.at_end());
}

}  // namespace
}  // namespace brume

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = encode_record(decode_record<Node>(bytes));
    BRUME_CHECK(encode_record(decode_record<Node>(once)) == once);
  } catch (const StoreError&) {
  }
  check_reader(bytes);
  return 0;
}
