// Requests to small models, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "front/protocols/example_model.h"
#include "front/protocols/protocol.h"

namespace brume::protocols {

struct Sent {
  std::string method = "POST", path = "/things", query, body;
  Headers headers;
};

// Decodes for the model's first operation; the input is of its type.
inline model::Object decoded(const model::Service& service, const Sent& sent, DecodeReport* report = nullptr) {
  const model::Operation& operation = service.operations.front();
  model::Object input(*operation.input);
  const WireRequest request{sent.method, sent.path, sent.query, sent.headers, {}, sent.body, nullptr};
  const DecodeReport made = decode(service, operation, service.protocols.front(), request, input.get());
  if (report != nullptr) *report = made;
  return input;
}

// The error that decoding ends in.
inline AwsError refused(const model::Service& service, const Sent& sent) {
  try {
    decoded(service, sent);
  } catch (const AwsError& error) {
    return error;
  }
  ADD_FAILURE() << "not refused: " << sent.body << sent.query;
  return AwsError("", "");
}

}  // namespace brume::protocols
