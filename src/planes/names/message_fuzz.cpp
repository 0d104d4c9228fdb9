// Fuzz target: anything a client or an upstream resolver may send.
#include <cstdint>
#include <cstdlib>

#include "planes/names/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::names;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto query = parse_query(bytes)) {
    Response response;
    response.answers = {{RecordType::cname, 60, "a." + query->name}, {RecordType::a, 60, "198.19.0.1"}};
    response.authority = StartOfAuthority{.zone = query->name};
    const std::string answer = write_response(*query, response, query->udp_bytes);
    // Whatever we write for a question that we accepted must be readable and answer it.
    if (answer.size() > kHeaderBytes + query->question.size() + 11 && answer.size() > query->udp_bytes) std::abort();
    if (!answers(answer, query->id, *query) || !parse_response(answer)) std::abort();
  } else {
    write_rejection(query.error());
  }
  parse_response(bytes);
  return 0;
}
