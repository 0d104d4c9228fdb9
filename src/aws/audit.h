// What the audit trail is told of every request: who asked for what, and how it ended. Nothing is rendered on the way
// of a request; a record owns the decoded input and output, and whoever takes it renders them elsewhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "aws/request.h"
#include "core/model.h"

namespace brume {

struct AuditRecord {
  const model::Service* service = nullptr;      // null: not served
  const model::Operation* operation = nullptr;  // null: none was found
  std::string service_name, operation_name;     // as asked for
  RequestContext context;
  std::optional<model::Object> input, output;  // absent: not read, or there is none
  std::string error_code, error_message;       // empty: it succeeded
  std::string resource_account;                // whose the resource is, when it is not of the caller's account
  std::size_t omitted_input_bytes = 0, omitted_output_bytes = 0;  // of what was too large to be kept
};

class AuditSink {
 public:
  virtual ~AuditSink() = default;
  virtual void put(AuditRecord record) = 0;  // any thread
};

}  // namespace brume
