#include <cmath>

#include "core/json_text.h"
#include "front/protocols/codec.h"

namespace brume::protocols {
namespace {

class JsonEncoder {
 public:
  JsonEncoder(TimestampFormat timestamps, std::string& out) : timestamps_(timestamps), out_(out) {}

  void any(const Member* member, const Type& type, const void* value) {
    switch (type.kind) {
      case Kind::structure:
        return structure(type, value);
      case Kind::list:
        return list(member, type, value);
      case Kind::map:
        return map(member, type, value);
      default:
        return scalar(member, type, value);
    }
  }

 private:
  void structure(const Type& type, const void* object) {
    out_ += '{';
    bool first = true;
    for (const Member& member : type.members) {
      if (!is_body_of_output(member)) continue;
      const void* value = member.get(object);
      if (value == nullptr) continue;
      if (!std::exchange(first, false)) out_ += ',';
      append_json_string(member.wire_name(), out_);
      out_ += ':';
      any(&member, *member.type, value);
    }
    out_ += '}';
  }

  void list(const Member* member, const Type& type, const void* value) {
    out_ += '[';
    const std::size_t size = type.ops->size(value);
    for (std::size_t i = 0; i < size; ++i) {
      if (i != 0) out_ += ',';
      any(member, *type.element.type, type.ops->at(value, i));
    }
    out_ += ']';
  }

  void map(const Member* member, const Type& type, const void* value) {
    struct Context {
      JsonEncoder& encoder;
      const Member* member;
      const Type& type;
      bool first = true;
    } context{*this, member, type};
    out_ += '{';
    type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      auto& [encoder, of, map_type, first] = *static_cast<Context*>(pointer);
      if (!std::exchange(first, false)) encoder.out_ += ',';
      append_json_string(key, encoder.out_);
      encoder.out_ += ':';
      encoder.any(of, *map_type.element.type, each);
    });
    out_ += '}';
  }

  void scalar(const Member* member, const Type& type, const void* value) {
    if (type.kind == Kind::string) return append_json_string(*static_cast<const std::string*>(value), out_);
    const TimestampFormat format = timestamp_format(member, type, timestamps_);
    const std::string text = format_scalar(type, format, value);
    const bool special = type.kind == Kind::number && !std::isfinite(*static_cast<const double*>(value));
    const bool quoted =
        type.kind == Kind::blob || special || (type.kind == Kind::timestamp && format != TimestampFormat::unix_seconds);
    if (quoted)
      append_json_string(text, out_);
    else
      out_ += text;
  }

  TimestampFormat timestamps_;
  std::string& out_;
};

}  // namespace

void encode_json(const Type& type, TimestampFormat timestamps, const void* value, std::string& out) {
  JsonEncoder(timestamps, out).any(nullptr, type, value);
}

}  // namespace brume::protocols
