// Fuzz target: addresses and blocks. What is read is written in its one form and read again; the system's own reader of
// addresses agrees; what blocks say of one another follows from their first and last addresses. Two texts, a line each.
#include <arpa/inet.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "services/ec2/cidr.h"

namespace brume::ec2 {
namespace {

void check_address(std::string_view text) {
  const auto address = parse_address(text);
  in_addr theirs{};
  // inet_pton() stops at a NUL; and it takes no leading zeros, like ours.
  const bool read =
      text.find('\0') == std::string_view::npos && inet_pton(AF_INET, std::string(text).c_str(), &theirs) == 1;
  BRUME_CHECK(address.has_value() == read);
  if (address) BRUME_CHECK(ntohl(theirs.s_addr) == *address && parse_address(address_text(*address)) == address);
}

void check_block(const Cidr& block) {
  BRUME_CHECK(block.prefix >= 0 && block.prefix <= 32);
  BRUME_CHECK(parse_cidr(to_string(block)) == block);
  BRUME_CHECK(std::uint64_t{block.last()} - block.first() + 1 == block.size());
  BRUME_CHECK(block.contains(block.first()) && block.contains(block.last()) && block.contains(block));
  if (is_vpc_block(block)) BRUME_CHECK(block.size() >= 16 && block.size() <= 65536);
  if (block.size() >= 16)
    BRUME_CHECK(is_reserved_in_subnet(block, block.last()) && !is_reserved_in_subnet(block, block.first() + 4));
}

}  // namespace
}  // namespace brume::ec2

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::ec2;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view first = text.substr(0, line), second = text.substr(std::min(line + 1, text.size()));
  check_address(first);
  const auto a = parse_cidr(first), b = parse_cidr(second);
  if (a) check_block(*a);
  if (a && b) {
    const bool common = a->first() <= b->last() && b->first() <= a->last();
    BRUME_CHECK(a->overlaps(*b) == common && b->overlaps(*a) == common);
    // Blocks are nested or apart, never half.
    BRUME_CHECK(common == (a->contains(*b) || b->contains(*a)));
    BRUME_CHECK(may_be_added(*a, *a));
  }
  if (const auto block = canonical_ipv6_cidr(first)) BRUME_CHECK(canonical_ipv6_cidr(*block) == block);
  return 0;
}
