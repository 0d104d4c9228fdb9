// Fuzz target: Smithy's RPC v2 CBOR protocol. A body that is accepted is written as an answer, which must be read as
// the same value; so must the same body with every count of its first level left open (indefinite lengths).
#include <cstdint>
#include <string_view>

#include "front/protocols/cbor_items.h"
#include "front/protocols/test_echo.h"

namespace brume::protocols {
namespace {

// A map whose entries are counted, as one that ends with a stop.
std::string opened(std::string_view body) {
  CborItems items(body);
  const CborItem head = items.next();
  if (!head.is(CborItem::Type::map) || head.indefinite) return std::string(body);
  const auto first = static_cast<unsigned char>(body[0]);
  const std::size_t argument = first % 32 < 24 ? 0 : std::size_t{1} << (first % 32 - 24);
  return "\xbf" + std::string(body.substr(1 + argument)) + "\xff";
}

}  // namespace
}  // namespace brume::protocols

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::protocols;
  static const std::unique_ptr<DynamicModel> echoes = echo_model("smithy-rpc-v2-cbor");
  const model::Service& service = echoes->service();
  const model::Operation& operation = service.operations.front();
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  model::Object first(*operation.input);
  if (!read_echo(service, body, first)) return 0;
  const WireReply reply = encode(service, operation, service.protocols.front(), first.get(), "id");
  model::Object second(*operation.input), third(*operation.input);
  BRUME_CHECK(read_echo(service, reply.body.bytes, second));
  BRUME_CHECK(shown(service, first) == shown(service, second));
  BRUME_CHECK(read_echo(service, opened(reply.body.bytes), third));
  BRUME_CHECK(shown(service, first) == shown(service, third));
  return 0;
}
