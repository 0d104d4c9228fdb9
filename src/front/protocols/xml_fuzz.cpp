// Fuzz target: XML bodies. What is accepted is written as XML, which must be read as the same value. The first byte
// chooses between S3 and any other service.
#include <cstdint>
#include <string_view>

#include "front/protocols/test_echo.h"
#include "front/protocols/xml_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::protocols;
  if (size == 0) return 0;
  static const std::unique_ptr<DynamicModel> models[] = {echo_model("rest-xml"), echo_model("rest-xml", "s3")};
  const model::Service& service = models[data[0] % std::size(models)]->service();
  const model::Operation& operation = service.operations.front();
  model::Object first(*operation.input);
  if (!read_echo(service, {reinterpret_cast<const char*>(data) + 1, size - 1}, first)) return 0;
  XmlWriter writer;
  encode_xml_element(writer, {}, "Echo", *operation.input, nullptr, first.get(), kS3Namespace);
  model::Object second(*operation.input);
  BRUME_CHECK(read_echo(service, writer.take(), second));
  BRUME_CHECK(shown(service, first) == shown(service, second));
  return 0;
}
