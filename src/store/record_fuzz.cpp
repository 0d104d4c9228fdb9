// The record reader over arbitrary bytes: it throws StoreError or yields a record that survives its own round trip.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "store/record.h"

namespace {

struct Node {
  std::string name;
  std::int32_t number = 1;
  double ratio = 0;
  bool flag = false;
  brume::Time time;
  brume::Scope scope;
  brume::opt<std::string> maybe;
  std::vector<std::pair<std::string, std::int64_t>> pairs;
  std::set<std::string> names;
  std::map<std::string, brume::box<Node>> children;
};
BOOST_DESCRIBE_STRUCT(Node, (), (name, number, ratio, flag, time, scope, maybe, pairs, names, children))

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = brume::encode_record(brume::decode_record<Node>(bytes));
    BRUME_CHECK(brume::encode_record(brume::decode_record<Node>(once)) == once);
  } catch (const brume::StoreError&) {
  }
  return 0;
}
