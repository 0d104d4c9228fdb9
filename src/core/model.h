// The tables that describe a service to the front: its operations, and the shape of every input, output and error. They
// are written by codegen/ as constants, or built at run time from a model file (front/protocols/dynamic_model.h); the
// codecs, the dispatcher and the authorization templates read values only through them. Immutable: any thread.
//
// A value is a `void*` with a Type. What it points to, by Type::kind:
//   string, enumeration  std::string            integer    std::int64_t        number     double
//   boolean              bool                   timestamp  Time                blob       std::string (raw bytes)
//   document             std::string (JSON text)           stream     Body (the streaming payload)
//   structure            an object whose members lie at Member::offset, each in a slot that may be empty
//   list, map            a container, walked by Type::ops
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume {

class Tx;
struct RequestContext;
template <class Output>
class Deferred;

namespace model {

struct Type;
struct Member;

enum class Kind : std::uint8_t {
  string,
  integer,
  number,
  boolean,
  timestamp,
  blob,
  document,
  stream,
  structure,
  list,
  map
};
// Where a member travels. `body` also covers members of nested structures; the payload is named by Type::payload.
enum class Location : std::uint8_t { body, header, headers, query, uri, status_code };
enum class TimestampFormat : std::uint8_t { unspecified, iso8601, unix_seconds, http_date };
enum class Protocol : std::uint8_t { query, ec2, json, rest_json, rest_xml, rpc_v2_cbor };

// What can be done with a value whose C++ type the caller does not know. A null function: not for this kind.
struct TypeOps {
  void* (*create)(const Type& type);  // an empty value on the heap
  void (*destroy)(const Type& type, void* value);
  std::size_t (*size)(const void* container);
  const void* (*at)(const void* list, std::size_t index);
  void* (*append)(const Type& list_type, void* list);                 // the new element, empty
  void* (*insert)(const Type& map_type, void* map, std::string key);  // the key's value, empty and new
  using Visit = void (*)(void* context, const std::string& key, const void* value);
  void (*each)(const void* map, void* context, Visit visit);  // in the order of keys
};

// How a member's slot is read and filled: opt<T> and box<T> in generated structs, a pointer in dynamic objects.
struct SlotOps {
  const void* (*get)(const void* slot);                // null: absent
  void* (*emplace)(const Member& member, void* slot);  // a new empty value, in place of any other
};

// Limits of a value's size: characters of a string, bytes of a blob, elements of a list, or the number itself.
struct Constraints {
  bool has_min = false, has_max = false;
  double min = 0, max = 0;
  std::string_view pattern;                  // a regular expression as the model has it; empty: none
  std::span<const std::string_view> values;  // of an enumeration; empty: it is none
};

struct Member {
  std::string_view name;  // AWS's name: "CidrBlock"
  const Type* type = nullptr;
  const SlotOps* slot = nullptr;
  std::uint32_t offset = 0;
  Location location = Location::body;
  TimestampFormat timestamp_format = TimestampFormat::unspecified;
  bool required : 1 = false;
  bool flattened : 1 = false;
  bool xml_attribute : 1 = false;
  bool idempotency_token : 1 = false;
  bool host_label : 1 = false;
  bool json_value : 1 = false;  // a JSON text that travels in base64 when in a header
  bool sensitive : 1 = false;
  std::string_view location_name;  // the name on the wire where it differs; a prefix for Location::headers
  std::string_view query_name;     // of the ec2 protocol
  std::string_view xml_namespace, xml_prefix;

  const void* get(const void* object) const { return slot->get(static_cast<const char*>(object) + offset); }
  // The value of an object that may be changed.
  void* get(void* object) const { return const_cast<void*>(get(static_cast<const void*>(object))); }
  void* emplace(void* object) const { return slot->emplace(*this, static_cast<char*>(object) + offset); }
  std::string_view wire_name() const { return location_name.empty() ? name : location_name; }
};

// The type of a list's elements, or of a map's keys or values.
struct Element {
  const Type* type = nullptr;
  std::string_view location_name;
  std::string_view xml_namespace, xml_prefix;
};

struct Type {
  Kind kind = Kind::structure;
  std::string_view name;  // the shape's name
  const TypeOps* ops = nullptr;
  std::span<const Member> members;  // of a structure, in the model's order
  std::int16_t payload = -1;        // the member that is the whole body, by index
  Element element, key;             // of a list: element; of a map: key and element
  const Constraints* constraints = nullptr;
  TimestampFormat timestamp_format = TimestampFormat::unspecified;
  bool flattened : 1 = false;
  bool is_union : 1 = false;
  bool event_stream : 1 = false;
  bool sensitive : 1 = false;
  std::string_view location_name;  // the name of its XML element, where it differs
  std::string_view xml_namespace, xml_prefix;

  const Member* find(std::string_view member_name) const;
};

// One action asked of the authorizer; the resource is a template over the input, see models/served and strings_at.
struct Permission {
  std::string_view action;    // "s3:PutObject"
  std::string_view resource;  // "arn:{partition}:s3:::{Bucket}/{Key}", or "*"
};

struct ErrorShape {
  std::string_view name;        // the shape's name, the wire code of JSON protocols
  std::string_view code;        // the wire code of this service's protocols
  std::string_view query_code;  // what query-compatible JSON services add in a header; empty: none
  int status = 400;
  bool sender_fault = true;
  const Type* type = nullptr;
};

// What S3 does about checksums ("Checking object integrity"): the member that names the algorithm.
struct Checksum {
  std::string_view request_algorithm_member;
  bool request_required = false;
};

struct Operation {
  std::string_view name;
  std::uint16_t index = 0;  // in Service::operations, and in Handlers
  std::string_view method, uri;
  int status = 200;
  const Type* input = nullptr;   // never null: an empty structure if the model has none
  const Type* output = nullptr;  // never null
  bool has_output : 1 = false;   // the model has an output
  bool deferred : 1 = false;     // answered later, see Handler
  bool is_public : 1 = false;    // no signature is asked for
  bool unchecked : 1 = false;    // no permission is needed
  bool idempotent : 1 = false;
  bool read_only : 1 = false;
  bool streaming_input : 1 = false;  // the input's payload is a stream
  bool streaming_output : 1 = false;
  std::string_view host_prefix;                  // "{AccountId}." of S3 Control; empty: none
  std::string_view result_wrapper;               // of the query protocol
  std::string_view input_root, input_namespace;  // the root element of a rest-xml input, when the model names it
  std::span<const ErrorShape* const> errors;
  std::span<const Permission> permissions;  // all must be granted
  Checksum checksum;
};

struct Service {
  std::string_view id;                  // the folder's name: "elbv2"
  std::string_view name;                // AWS's service id: "Elastic Load Balancing v2"
  std::string_view signing_name;        // in the credential scope: "elasticloadbalancing"
  std::string_view endpoint_prefix;     // in host names: "api.ecr"
  std::string_view api_version;         // "2016-11-15"
  std::string_view xml_namespace;       // empty: none
  std::string_view target_prefix;       // of X-Amz-Target: "DynamoDB_20120810"
  std::string_view json_version;        // "1.0", "1.1"
  std::span<const Protocol> protocols;  // the preferred one first
  bool query_compatible = false;
  bool global = false;                    // one endpoint for all regions (IAM)
  std::span<const Operation> operations;  // in the order of names
  std::span<const ErrorShape> errors;

  const Operation* find(std::string_view operation_name) const;
  const ErrorShape* find_error(std::string_view wire_code) const;  // by code, else by name
  bool speaks(Protocol protocol) const;
};

// An owned value. Movable; empty after a move.
class Object {
 public:
  explicit Object(const Type& type) : type_(&type), value_(type.ops->create(type)) {}
  Object(const Type& type, void* value) : type_(&type), value_(value) {}  // takes over
  Object(Object&& other) noexcept : type_(other.type_), value_(std::exchange(other.value_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(type_, other.type_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~Object() {
    if (value_ != nullptr) type_->ops->destroy(*type_, value_);
  }
  const Type& type() const { return *type_; }
  void* get() { return value_; }
  const void* get() const { return value_; }

 private:
  const Type* type_;
  void* value_;
};

// Calls a service's handler: `service` is the service object (ec2::Ec2), `input` and `output` are values of the
// operation's types. What the handler throws passes through. A deferred one gives its output later; `input` is only
// valid during the call. Control thread.
using Invoke = void (*)(void* service, Tx& tx, const RequestContext& context, const void* input, void* output);
using InvokeDeferred = void (*)(void* service, Tx& tx, const RequestContext& context, const void* input,
                                Deferred<Object> answer);
struct Handler {
  Invoke invoke = nullptr;  // exactly one of the two is set
  InvokeDeferred invoke_deferred = nullptr;
};
// A service's handlers, in the order of Service::operations.
struct Handlers {
  const Service* service = nullptr;
  std::span<const Handler> handlers;
  const Handler& of(const Operation& operation) const { return handlers[operation.index]; }
};

// The strings at a path of members, by AWS's names: "Bucket", "Delete.Objects[].Key", "RequestItems[]" (a map gives its
// keys). Nothing where a member on the way is absent. Numbers and booleans are written out. The path must fit the type.
std::vector<std::string> strings_at(const Type& type, const void* object, std::string_view path);
// Whether a path fits a type.
bool has_path(const Type& type, std::string_view path);

}  // namespace model
}  // namespace brume
