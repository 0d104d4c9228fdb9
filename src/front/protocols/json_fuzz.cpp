// Fuzz target: the JSON protocols. A body that is accepted is written as an answer, which must be read as the same
// value. The first byte chooses between json and rest-json.
#include <cstdint>
#include <string_view>

#include "front/protocols/test_echo.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::protocols;
  if (size == 0) return 0;
  static const std::unique_ptr<DynamicModel> models[] = {echo_model("json"), echo_model("rest-json", "lambda"),
                                                         echo_model("json", "dynamodb")};
  const model::Service& service = models[data[0] % std::size(models)]->service();
  const model::Operation& operation = service.operations.front();
  model::Object first(*operation.input);
  if (!read_echo(service, {reinterpret_cast<const char*>(data) + 1, size - 1}, first)) return 0;
  const WireReply reply = encode(service, operation, service.protocols.front(), first.get(), "id");
  model::Object second(*operation.input);
  BRUME_CHECK(read_echo(service, reply.body.bytes, second));
  BRUME_CHECK(shown(service, first) == shown(service, second));
  return 0;
}
