// Test support: a service whose one operation takes and gives the same recursive structure, with members of every kind,
// so that what was read can be written and read again. And what any value looks like, for comparing.
#pragma once

#include <memory>
#include <string>

#include "front/protocols/codec.h"
#include "front/protocols/dynamic_model.h"

namespace brume::protocols {

inline std::unique_ptr<DynamicModel> echo_model(const std::string& protocol, const std::string& id = "echoes") {
  return load_model(R"({
    "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "echoes", "protocol": ")" +
                        protocol + R"(", "jsonVersion": "1.1", "targetPrefix": "Echoes", "serviceId": "Echoes"},
    "operations": {"Echo": {"name": "Echo", "http": {"method": "POST", "requestUri": "/echo"},
      "input": {"shape": "Echo"}, "output": {"shape": "Echo"}}},
    "shapes": {
      "Echo": {"type": "structure", "members": {
        "Text": {"shape": "Text"}, "Whole": {"shape": "Whole"}, "Real": {"shape": "Real"}, "Flag": {"shape": "Flag"},
        "When": {"shape": "When"}, "Seconds": {"shape": "Seconds"}, "Web": {"shape": "Web"}, "Data": {"shape": "Data"},
        "List": {"shape": "List"}, "Named": {"shape": "Named"}, "Flat": {"shape": "Flat"}, "Map": {"shape": "Map"},
        "Numbers": {"shape": "Numbers"}, "FlatMap": {"shape": "FlatMap"}, "Child": {"shape": "Echo", "locationName": "kid"},
        "Lists": {"shape": "Lists"}, "Type": {"shape": "Text", "xmlAttribute": true, "locationName": "xsi:type"}}},
      "Text": {"type": "string"}, "Whole": {"type": "long"}, "Real": {"type": "double"}, "Flag": {"type": "boolean"},
      "When": {"type": "timestamp"}, "Seconds": {"type": "timestamp", "timestampFormat": "unixTimestamp"},
      "Web": {"type": "timestamp", "timestampFormat": "rfc822"}, "Data": {"type": "blob"},
      "List": {"type": "list", "member": {"shape": "Text"}},
      "Named": {"type": "list", "member": {"shape": "Echo", "locationName": "item"}},
      "Flat": {"type": "list", "member": {"shape": "Text"}, "flattened": true},
      "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Echo"}},
      "Numbers": {"type": "map", "key": {"shape": "Text", "locationName": "Name"},
                  "value": {"shape": "Whole", "locationName": "Value"}},
      "FlatMap": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Data"}, "flattened": true},
      "Lists": {"type": "list", "member": {"shape": "List"}}}})",
                    id);
}

// Reads a body as the model's first operation does, or gives nothing for one that is refused. The object must not be
// given before the model.
inline bool read_echo(const model::Service& service, std::string_view body, model::Object& object) {
  // Without its type a body of rest-json is refused; the other protocols do not look at it.
  const Headers headers{{"Content-Type", "application/json"}};
  const WireRequest request{"POST", "/echo", "", headers, "host", body, nullptr};
  try {
    decode(service, service.operations.front(), service.protocols.front(), request, object.get());
    return true;
  } catch (const AwsError& error) {
    BRUME_CHECK(error.status >= 400 && error.status < 600 && !error.code.empty());
    encode_error(service, &service.operations.front(), service.protocols.front(), error, "id", "POST");
    return false;
  }
}

inline std::string shown(const model::Service& service, const model::Object& object) {
  std::string text;
  encode_json(*service.operations.front().input, model::TimestampFormat::unix_seconds, object.get(), text);
  return text;
}

}  // namespace brume::protocols
