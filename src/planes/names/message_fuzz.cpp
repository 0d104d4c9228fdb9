// Fuzz target: DNS. Anything a client or an upstream resolver may send is read without harm; what is accepted is
// written as a message of ours and read again as the same. The first byte chooses how much room an answer has.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "planes/names/message.h"
#include "planes/names/record_data.h"

namespace brume::names {
namespace {

void answer_query(const Query& query, std::size_t room) {
  Response response;
  response.answers = {{RecordType::cname, 60, "a." + query.name}, {RecordType::a, 60, "198.19.0.1"}};
  response.authority = StartOfAuthority{.zone = query.name};
  for (const std::size_t limit : {std::size_t{query.udp_bytes}, room}) {
    const std::string answer = write_response(query, response, limit);
    const std::size_t least = kHeaderBytes + query.question.size() + (query.edns ? 11 : 0);
    BRUME_CHECK(answer.size() <= std::max(limit, least));
    // Whatever we write for a question that we accepted must be readable and answer it.
    const auto parsed = parse_response(answer);
    BRUME_CHECK(answers(answer, query.id, query) && parsed && parsed->records.size() <= response.answers.size());
    if (parsed->records.size() < 2 && name_to_wire("a." + query.name)) BRUME_CHECK(parsed->truncated);
  }
  // The name that was read is written and read as itself.
  const auto again = parse_query(write_query(query.id, query.name, RecordType::a));
  BRUME_CHECK(again && again->name == query.name && again->id == query.id);
}

void relay_response(const Answered& answered) {
  // Records that we know are written with their values as text and come back the same, type by type.
  for (const Record& record : answered.records) {
    std::string wire;
    NameWriter writer(wire);
    const std::size_t before = wire.size();
    BRUME_CHECK(append_record_data(writer, record.type, record.value));
    const auto text = read_record_data(wire, before, wire.size() - before, record.type);
    BRUME_CHECK(text && *text == record.value);
  }
}

}  // namespace
}  // namespace brume::names

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::names;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto query = parse_query(bytes))
    answer_query(*query, 12 + data[0] * 2U);
  else
    write_rejection(query.error());
  if (const auto answered = parse_response(bytes)) relay_response(*answered);
  std::size_t offset = data[0];
  std::string name;
  const std::size_t before = offset;
  if (read_name(bytes, offset, name)) BRUME_CHECK(offset > before && offset <= bytes.size() && name_to_wire(name));
  return 0;
}
