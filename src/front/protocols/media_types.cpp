// The media types of rest-json ("AWS restJson1 protocol", Content-Type; "HTTP bindings", Serialization rules): which
// one a request's body must have, and which one the answer's will have.
#include <algorithm>

#include "core/text.h"
#include "front/protocols/codec.h"

namespace brume::protocols {
namespace {

// The type of a body, from its shape; empty: none is asked for, as for a blob that the model gives no type.
std::string_view media_type(const Decoding& decoding, const Type& type, bool& has_body) {
  has_body = true;
  if (type.payload >= 0) {
    const Type& payload = *type.members[static_cast<std::size_t>(type.payload)].type;
    if (payload.event_stream) return "application/vnd.amazon.eventstream";
    if (const std::string& named = decoding.facts_of(payload).media_type; !named.empty()) return named;
    if (payload.kind == Kind::string) return "text/plain";
    return payload.kind == Kind::blob || payload.kind == Kind::stream ? "" : "application/json";
  }
  has_body =
      std::ranges::any_of(type.members, [](const Member& member) { return member.location == model::Location::body; });
  return has_body ? "application/json" : "";
}

// "text/plain; charset=utf-8" is text/plain.
std::string_view essence(std::string_view value) { return trim(value.substr(0, value.find(';'))); }

// Whether an Accept header admits a type: by its name, or by a wildcard.
bool admits(std::string_view accept, std::string_view type) {
  for (const std::string_view part : split(accept, ',')) {
    const std::string_view range = essence(part);
    if (range == "*/*" || range == "*" || equals_ignoring_case(range, type)) return true;
    if (range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1))) return true;
  }
  return false;
}

}  // namespace

void check_media_types(const Decoding& decoding) {
  const model::Operation& operation = decoding.operation;
  const WireRequest& request = decoding.request;
  bool has_body = false;
  const std::string_view wanted = media_type(decoding, *operation.input, has_body);
  const std::string_view given = essence(request.header("Content-Type"));
  // An input without any member may come as an empty document; one whose members are all elsewhere may not.
  const bool may_be_empty = operation.input->members.empty() && !operation.input->name.empty();
  const bool wrong =
      has_body ? !wanted.empty() && !equals_ignoring_case(given, wanted) : !may_be_empty && !given.empty();
  if (wrong && !request.body.empty()) throw AwsError("UnsupportedMediaTypeException", "", 415);
  const std::string_view accept = request.header("Accept");
  const std::string_view answered = media_type(decoding, *operation.output, has_body);
  if (!accept.empty() && !answered.empty() && !admits(accept, answered))
    throw AwsError("NotAcceptableException", "", 406);
}

}  // namespace brume::protocols
