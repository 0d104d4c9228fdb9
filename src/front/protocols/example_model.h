// A small model that tries every kind of member and constraint, for the tests and the fuzz target of this folder.
#pragma once

#include <memory>
#include <string>

#include "front/protocols/dynamic_model.h"

namespace brume::protocols {

// A service with one operation, CreateThing, whose members try every constraint.
inline std::unique_ptr<DynamicModel> thing_model(const std::string& protocol, const std::string& id = "things") {
  return load_model(R"({
    "metadata": {"apiVersion": "2020-01-01", "endpointPrefix": "things", "protocol": ")" +
                        protocol + R"(",
                 "jsonVersion": "1.1", "targetPrefix": "Things", "serviceId": "Things",
                 "xmlNamespace": "https://things.example.com/doc/"},
    "operations": {"CreateThing": {"name": "CreateThing", "http": {"method": "POST", "requestUri": "/things"},
      "input": {"shape": "CreateThingRequest"}, "output": {"shape": "CreateThingResponse"}}},
    "shapes": {
      "CreateThingRequest": {"type": "structure", "required": ["Name"], "members": {
        "Name": {"shape": "Name"}, "Size": {"shape": "Size"}, "Color": {"shape": "Color"}, "Flag": {"shape": "Flag"},
        "Tags": {"shape": "Tags"}, "Labels": {"shape": "Labels"}, "Limits": {"shape": "Limits"}, "Data": {"shape": "Data"},
        "When": {"shape": "When"}, "Password": {"shape": "Password"}, "Child": {"shape": "CreateThingRequest"}}},
      "CreateThingResponse": {"type": "structure", "members": {
        "Name": {"shape": "Text"}, "When": {"shape": "When"}, "Ratio": {"shape": "Ratio"}, "Tags": {"shape": "Tags"},
        "Limits": {"shape": "Limits"}, "Data": {"shape": "Data"}}},
      "Name": {"type": "string", "min": 3, "max": 10, "pattern": "[a-z\\u0030-\\u0039]+"},
      "Size": {"type": "integer", "min": 5, "max": 50},
      "Color": {"type": "string", "enum": ["red", "green"]},
      "Flag": {"type": "boolean"}, "Data": {"type": "blob"}, "When": {"type": "timestamp"}, "Ratio": {"type": "double"},
      "Text": {"type": "string"}, "Password": {"type": "string", "min": 8, "sensitive": true},
      "Tags": {"type": "list", "max": 2, "member": {"shape": "Tag"}},
      "Tag": {"type": "structure", "required": ["Key"], "members": {"Key": {"shape": "Text"}, "Value": {"shape": "Text"}}},
      "Labels": {"type": "list", "member": {"shape": "Label"}}, "Label": {"type": "string", "max": 4},
      "Limits": {"type": "map", "key": {"shape": "Label"}, "value": {"shape": "Size"}},
      "ThingExists": {"type": "structure", "exception": true, "error": {"code": "Thing.Exists", "httpStatusCode": 409},
        "members": {"message": {"shape": "Text"}, "Owner": {"shape": "Text"}, "Count": {"shape": "Size"}}}}})",
                    id);
}

}  // namespace brume::protocols
