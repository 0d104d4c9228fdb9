// Bytes from strangers through every codec and through the lookup of operations. The first byte chooses the protocol.
#include <cstddef>
#include <cstdint>

#include "front/protocols/example_model.h"
#include "front/protocols/protocol.h"

namespace {

using namespace brume;
using namespace brume::protocols;

const model::Service& service_for(unsigned choice) {
  static const std::unique_ptr<DynamicModel> models[] = {thing_model("query"),    thing_model("ec2", "ec2"),
                                                         thing_model("json"),     thing_model("rest-json", "lambda"),
                                                         thing_model("rest-xml"), thing_model("rest-xml", "s3")};
  return models[choice % std::size(models)]->service();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const model::Service& service = service_for(data[0]);
  const std::string text(data + 1, data + size);
  // Up to the first line break is the query, the rest the body.
  const std::string query = text.substr(0, text.find('\n'));
  const std::string body = text.size() > query.size() ? text.substr(query.size() + 1) : std::string();
  const WireRequest request{"POST", "/things", query, {}, "host", body, nullptr};
  const model::Operation& operation = service.operations.front();
  model::Object input(*operation.input);
  find_operation(service, service.protocols.front(), request);
  try {
    decode(service, operation, service.protocols.front(), request, input.get());
  } catch (const AwsError& error) {
    encode_error(service, &operation, service.protocols.front(), error, "id", "POST");
  }
  return 0;
}
