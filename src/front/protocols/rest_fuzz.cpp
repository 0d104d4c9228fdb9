// Fuzz target: how a REST request is taken apart. Methods, paths, queries and headers go through the lookup of the
// operation; the members of what is found are put into a request again, as SDKs do, which must find the same operation
// and say the same. The first byte chooses the method; then come path and query on a line, headers, one a line, and
// behind an empty line the body.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/dynamic_model.h"
#include "front/protocols/uri_pattern.h"

namespace brume::protocols {
namespace {

std::unique_ptr<DynamicModel> rest_model() {
  return load_model(R"({
    "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "things", "protocol": "rest-xml", "serviceId": "Things"},
    "operations": {
      "GetThing": {"name": "GetThing", "http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "Thing"}},
      "GetTags": {"name": "GetTags", "http": {"method": "GET", "requestUri": "/{Bucket}/{Key+}?tagging"}, "input": {"shape": "Thing"}},
      "List": {"name": "List", "http": {"method": "GET", "requestUri": "/{Bucket}?list-type=2"}, "input": {"shape": "Thing"}},
      "Status": {"name": "Status", "http": {"method": "GET", "requestUri": "/-/status/{Bucket}"}, "input": {"shape": "Thing"}},
      "Run": {"name": "Run", "http": {"method": "POST", "requestUri": "/{Bucket}/{Key+}/run"}, "input": {"shape": "Thing"}},
      "Put": {"name": "Put", "http": {"method": "POST", "requestUri": "/{Bucket}/{Key+}"}, "input": {"shape": "Thing"}}},
    "shapes": {
      "Thing": {"type": "structure", "payload": "Data", "members": {
        "Bucket": {"shape": "Text", "location": "uri", "locationName": "Bucket"},
        "Key": {"shape": "Text", "location": "uri", "locationName": "Key"},
        "Data": {"shape": "Data"},
        "Prefix": {"shape": "Text", "location": "querystring", "locationName": "prefix"},
        "Most": {"shape": "Whole", "location": "querystring", "locationName": "max-keys"},
        "Since": {"shape": "When", "location": "querystring", "locationName": "since"},
        "Some": {"shape": "Texts", "location": "querystring", "locationName": "some"},
        "Type": {"shape": "Text", "location": "header", "locationName": "Content-Type"},
        "Length": {"shape": "Whole", "location": "header", "locationName": "X-Length"},
        "Fast": {"shape": "Flag", "location": "header", "locationName": "X-Fast"},
        "Modified": {"shape": "When", "location": "header", "locationName": "If-Modified-Since"},
        "Names": {"shape": "Texts", "location": "header", "locationName": "X-Names"},
        "Metadata": {"shape": "Map", "location": "headers", "locationName": "x-amz-meta-"}}},
      "Text": {"type": "string"}, "Whole": {"type": "long"}, "Flag": {"type": "boolean"}, "Data": {"type": "blob"},
      "When": {"type": "timestamp"}, "Texts": {"type": "list", "member": {"shape": "Text"}},
      "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}}}})",
                    "things");
}

struct RestRequest {
  std::string method, path, query, body;
  Headers headers;
  WireRequest wire() const { return {method, path, query, headers, "host", body, nullptr}; }
};

RestRequest read(unsigned method, std::string_view text) {
  RestRequest request;
  request.method = method % 2 == 0 ? "GET" : "POST";
  const std::size_t empty = text.find("\n\n");
  if (empty != std::string_view::npos) request.body = std::string(text.substr(empty + 2));
  const auto lines = split(text.substr(0, empty), '\n');
  const std::size_t mark = lines[0].find('?');
  request.path = "/" + std::string(lines[0].substr(0, mark));
  if (mark != std::string_view::npos) request.query = std::string(lines[0].substr(mark + 1));
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (const std::size_t colon = lines[i].find(':'); colon != std::string_view::npos)
      request.headers.emplace_back(lines[i].substr(0, colon), trim(lines[i].substr(colon + 1)));
  return request;
}

// The elements of a list in a header, in quotation marks.
std::string quoted(const Type& type, const void* list) {
  std::string out;
  for (std::size_t i = 0; i < type.ops->size(list); ++i) {
    out += i == 0 ? "\"" : ", \"";
    for (const char c : *static_cast<const std::string*>(type.ops->at(list, i)))
      out += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    out += '"';
  }
  return out;
}

// What an SDK sends for the operation with these members.
class Writer {
 public:
  Writer(const model::Operation& operation, const void* object) {
    request_.method = operation.method;
    const std::size_t mark = operation.uri.find('?');
    request_.path = operation.uri.substr(0, mark);
    if (mark != std::string_view::npos) request_.query = operation.uri.substr(mark + 1);
    for (const Member& member : operation.input->members)
      if (const void* value = member.get(object)) write(member, value);
  }
  const RestRequest& request() const { return request_; }

 private:
  void write(const Member& member, const void* value) {
    const Type& type = *member.type;
    const bool list = type.kind == model::Kind::list;
    switch (member.location) {
      case model::Location::uri:
        label("{" + std::string(member.wire_name()) + "}", *static_cast<const std::string*>(value), false);
        return label("{" + std::string(member.wire_name()) + "+}", *static_cast<const std::string*>(value), true);
      case model::Location::query:
        for (std::size_t i = 0; i < (list ? type.ops->size(value) : 1); ++i)
          request_.query += (request_.query.empty() ? "" : "&") + std::string(member.wire_name()) + "=" +
                            percent_encode(list ? *static_cast<const std::string*>(type.ops->at(value, i))
                                                : format_scalar(type, TimestampFormat::iso8601, value));
        return;
      case model::Location::header:
        request_.headers.emplace_back(
            member.wire_name(),
            list ? quoted(type, value)
                 : format_scalar(type, timestamp_format(&member, type, TimestampFormat::http_date), value));
        return;
      case model::Location::headers:
        type.ops->each(value, this, [](void* self, const std::string& key, const void* each) {
          static_cast<Writer*>(self)->request_.headers.emplace_back("x-amz-meta-" + key,
                                                                    *static_cast<const std::string*>(each));
        });
        return;
      default:
        request_.body = *static_cast<const std::string*>(value);
    }
  }
  void label(const std::string& pattern, const std::string& value, bool greedy) {
    const std::size_t at = request_.path.find(pattern);
    if (at != std::string::npos) request_.path.replace(at, pattern.size(), percent_encode(value, greedy));
  }
  RestRequest request_;
};

// All members, wherever they travel.
std::string shown(const model::Operation& operation, const void* object) {
  std::string text;
  for (const Member& member : operation.input->members) {
    const void* value = member.get(object);
    if (value == nullptr) continue;
    text.append(member.name).append("=");
    encode_json(*member.type, TimestampFormat::unix_seconds, value, text);
    text += '\n';
  }
  return text;
}

bool decoded(const model::Service& service, const model::Operation& operation, const RestRequest& request,
             void* object) {
  try {
    decode(service, operation, model::Protocol::rest_xml, request.wire(), object);
    return true;
  } catch (const AwsError& error) {
    encode_error(service, &operation, model::Protocol::rest_xml, error, "id", request.method);
    return false;
  }
}

}  // namespace
}  // namespace brume::protocols

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::protocols;
  if (size == 0) return 0;
  static const std::unique_ptr<DynamicModel> things = rest_model();
  const model::Service& service = things->service();
  const RestRequest request = read(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  static_cast<void>(protocol_of(service, request.wire()));
  static_cast<void>(guess_protocol(request.wire()));
  const Lookup found = find_operation(service, model::Protocol::rest_xml, request.wire());
  if (found.kind != Lookup::Kind::served) return 0;
  model::Object first(*found.operation->input);
  if (!decoded(service, *found.operation, request, first.get())) return 0;
  const Writer written(*found.operation, first.get());
  // The same operation, unless a label's text reads as another's pattern: then the members differ, too.
  model::Object second(*found.operation->input);
  BRUME_CHECK(decoded(service, *found.operation, written.request(), second.get()));
  BRUME_CHECK(shown(*found.operation, first.get()) == shown(*found.operation, second.get()));
  return 0;
}
