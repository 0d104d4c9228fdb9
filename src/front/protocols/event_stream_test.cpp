// Messages of event streams against the encoding's own layout: lengths, checksums, headers.
#include "front/protocols/event_stream.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "core/text.h"
#include "front/protocols/dynamic_model.h"

namespace brume::protocols {
namespace {

std::uint32_t number(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint32_t checksum(const std::string& bytes, std::size_t size) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), size));
}

// The first message of a text, read by the encoding's description; it is cut off.
struct Message {
  std::string headers, payload;
};
Message take_message(std::string& text) {
  const std::size_t total = number(text, 0), headers = number(text, 4);
  EXPECT_LE(total, text.size());
  EXPECT_EQ(number(text, 8), checksum(text, 8)) << "the prelude's checksum";
  EXPECT_EQ(number(text, total - 4), checksum(text, total - 4)) << "the message's checksum";
  Message message{text.substr(12, headers), text.substr(12 + headers, total - headers - 16)};
  text.erase(0, total);
  return message;
}

TEST(EventStream, MessageWithoutHeadersAndPayloadIsTheKnownOne) {
  // The encoding's own smallest message.
  EXPECT_EQ(to_hex(event_message({}, {})), "000000100000000005c248eb7d98c8ff");
}

constexpr std::string_view kModel = R"({
 "metadata": {"protocol": "json", "jsonVersion": "1.1", "serviceId": "S", "endpointPrefix": "s", "apiVersion": "1",
              "targetPrefix": "S"},
 "operations": {"Watch": {"name": "Watch", "http": {"method": "POST", "requestUri": "/"}, "output": {"shape": "Out"}}},
 "shapes": {
  "Out": {"type": "structure", "members": {"id": {"shape": "Text"}, "events": {"shape": "Events"}}},
  "Events": {"type": "structure", "eventstream": true, "members": {
    "news": {"shape": "News"}, "marked": {"shape": "Marked"}, "line": {"shape": "Line"}, "letter": {"shape": "Letter"},
    "nod": {"shape": "Nod"}, "Overrun": {"shape": "Overrun"}}},
  "Marked": {"type": "structure", "event": true, "members": {
    "yes": {"shape": "Flag", "eventheader": true}, "no": {"shape": "Flag", "eventheader": true},
    "count": {"shape": "Count", "eventheader": true}, "total": {"shape": "Total", "eventheader": true},
    "at": {"shape": "At", "eventheader": true}, "mark": {"shape": "Bytes", "eventheader": true},
    "word": {"shape": "Text", "eventheader": true}, "bytes": {"shape": "Bytes", "eventpayload": true}}},
  "Line": {"type": "structure", "event": true, "members": {"text": {"shape": "Text", "eventpayload": true}}},
  "Letter": {"type": "structure", "event": true, "members": {"news": {"shape": "News", "eventpayload": true}}},
  "Nod": {"type": "structure", "event": true, "members": {"to": {"shape": "Text", "eventheader": true}}},
  "Flag": {"type": "boolean"}, "Count": {"type": "integer"}, "Total": {"type": "long"}, "At": {"type": "timestamp"},
  "Bytes": {"type": "blob"},
  "News": {"type": "structure", "event": true, "members": {"text": {"shape": "Text"}}},
  "Overrun": {"type": "structure", "exception": true, "members": {"message": {"shape": "Text"},
    "missed": {"shape": "Count"}}},
  "Text": {"type": "string"}}})";

class Watch : public testing::Test {
 protected:
  std::unique_ptr<DynamicModel> loaded_ = load_model(kModel, "s");
  const model::Operation& operation_ = *loaded_->service().find("Watch");
  const model::Type& events_ = *event_stream_of(operation_)->type->element.type;

  std::string field(const std::string& name, const std::string& value) {
    return std::string(1, static_cast<char>(name.size())) + name + "\7" + std::string(1, '\0') +
           std::string(1, static_cast<char>(value.size())) + value;
  }
};

TEST_F(Watch, FirstMessageOfAnRpcProtocolIsTheRestOfTheOutput) {
  model::Object output(*operation_.output);
  *static_cast<std::string*>(operation_.output->find("id")->emplace(output.get())) = "7";
  std::string text = initial_response(operation_, Protocol::json, output.get());
  const Message message = take_message(text);
  EXPECT_EQ(message.headers, field(":event-type", "initial-response") + field(":content-type", "application/json") +
                                 field(":message-type", "event"));
  EXPECT_EQ(message.payload, R"({"id":"7"})");
  EXPECT_EQ(initial_response(operation_, Protocol::rest_json, output.get()), "");
}

TEST_F(Watch, EventsAreNamedByTheirMember) {
  model::Object event(events_);
  const model::Member& news = *events_.find("news");
  *static_cast<std::string*>(news.type->find("text")->emplace(news.emplace(event.get()))) = "hi";
  std::string text = encode_event(loaded_->service(), events_, Protocol::json, event.get(), &loaded_->facts());
  const Message message = take_message(text);
  EXPECT_EQ(message.headers, field(":event-type", "news") + field(":content-type", "application/json") +
                                 field(":message-type", "event"));
  EXPECT_EQ(message.payload, R"({"text":"hi"})");
}

TEST_F(Watch, ErrorsEndAStreamAsExceptionsOrAsErrors) {
  std::string text = encode_event_error(events_, Protocol::json, AwsError("Overrun", "too much"));
  Message message = take_message(text);
  EXPECT_EQ(message.headers, field(":exception-type", "Overrun") + field(":content-type", "application/json") +
                                 field(":message-type", "exception"));
  EXPECT_EQ(message.payload, R"({"message":"too much"})");
  text = encode_event_error(events_, Protocol::json, AwsError("InternalFailure", "no"));
  message = take_message(text);
  EXPECT_EQ(message.headers,
            field(":message-type", "error") + field(":error-code", "InternalFailure") + field(":error-message", "no"));
}

TEST_F(Watch, AnExceptionHasItsMembers) {
  AwsError error("Overrun", "too much");
  error.with("missed", "3").with("who", "you");
  std::string text = encode_event_error(events_, Protocol::json, error);
  EXPECT_EQ(take_message(text).payload, R"({"message":"too much","missed":3,"who":"you"})");
  text = encode_event_error(events_, Protocol::rest_xml, error);
  const Message message = take_message(text);
  EXPECT_EQ(message.payload, "<Overrun><message>too much</message><who>you</who></Overrun>");
  EXPECT_NE(message.headers.find(field(":content-type", "text/xml")), std::string::npos);
}

TEST_F(Watch, MembersOfAnEventAreHeadersWhereTheModelSaysSo) {
  model::Object event(events_);
  const model::Member& marked = *events_.find("marked");
  void* value = marked.emplace(event.get());
  const auto set = [&](std::string_view name, auto given) {
    *static_cast<decltype(given)*>(marked.type->find(name)->emplace(value)) = std::move(given);
  };
  set("yes", true);
  set("no", false);
  set("count", std::int64_t{-2});
  set("total", std::int64_t{1} << 40);
  set("at", Time{1'772'366'400'123});
  set("mark", std::string("\x01\x00", 2));
  set("word", std::string("hi"));
  set("bytes", std::string("\xff\x00z", 3));
  std::string text = encode_event(loaded_->service(), events_, Protocol::json, event.get(), &loaded_->facts());
  const Message message = take_message(text);
  EXPECT_EQ(message.payload, std::string("\xff\x00z", 3));
  const auto own = [](const std::string& name, const std::string& hex) {
    return std::string(1, static_cast<char>(name.size())) + name + from_hex(hex).value();
  };
  EXPECT_EQ(message.headers, field(":event-type", "marked") + field(":content-type", "application/octet-stream") +
                                 field(":message-type", "event") + own("yes", "00") + own("no", "01") +
                                 own("count", "04fffffffe") + own("total", "050000010000000000") +
                                 own("at", "080000019ca9450a7b") + own("mark", "0600020100") +
                                 own("word", "0700026869"));
}

TEST_F(Watch, APayloadMayBeATextOrAStructureOrNothing) {
  const auto encoded = [&](std::string_view which, std::string_view member, bool structure) {
    model::Object event(events_);
    const model::Member& of = *events_.find(which);
    void* value = of.emplace(event.get());
    void* payload = of.type->find(member)->emplace(value);
    if (structure) payload = events_.find("news")->type->find("text")->emplace(payload);
    *static_cast<std::string*>(payload) = "hi";
    std::string text = encode_event(loaded_->service(), events_, Protocol::json, event.get(), &loaded_->facts());
    return take_message(text);
  };
  const Message text = encoded("line", "text", false);
  EXPECT_EQ(text.payload, "hi");
  EXPECT_NE(text.headers.find(field(":content-type", "text/plain")), std::string::npos);
  const Message structure = encoded("letter", "news", true);
  EXPECT_EQ(structure.payload, R"({"text":"hi"})");
  EXPECT_NE(structure.headers.find(field(":content-type", "application/json")), std::string::npos);
  const Message nothing = encoded("nod", "to", false);
  EXPECT_EQ(nothing.payload, "");
  EXPECT_EQ(nothing.headers, field(":event-type", "nod") + field(":message-type", "event") + field("to", "hi"));
}

}  // namespace
}  // namespace brume::protocols
