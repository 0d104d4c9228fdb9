#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/xml_writer.h"

namespace brume::protocols {

bool is_body_of_output(const Member& member) {
  return member.location == model::Location::body || member.location == model::Location::query ||
         member.location == model::Location::uri;
}

XmlStyle xml_style(const model::Service& service) {
  XmlStyle style;
  if (service.id == "ec2" || is_s3(service)) style.milliseconds = true;
  if (service.id == "iam" || service.id == "sts") style.milliseconds = false;
  return style;
}

namespace {

class XmlEncoder {
 public:
  XmlEncoder(XmlWriter& writer, const XmlStyle& style) : writer_(writer), style_(style) {}

  void members(const Type& type, const void* object) {
    for (const Member& member : type.members) {
      if (!is_body_of_output(member) || member.xml_attribute) continue;
      const void* value = member.get(object);
      if (value == nullptr) continue;
      if (member.flattened && member.type->kind == Kind::list)
        flattened_list(member, value);
      else if (member.flattened && member.type->kind == Kind::map)
        entries(&member, *member.type, value, name_of(member));
      else
        element(name_of(member), *member.type, &member, value);
    }
  }

  void element(std::string_view name, const Type& type, const Member* member, const void* value,
               std::string_view default_namespace = {}) {
    writer_.open(name);
    name_space(type, member, default_namespace);
    if (type.kind == Kind::structure) attributes(type, value);
    content(type, member, value);
    writer_.close(name);
  }

 private:
  std::string_view name_of(const Member& member) const {
    return style_.query_names ? query_name_of(member) : member.wire_name();
  }

  void name_space(const Type& type, const Member* member, std::string_view otherwise) {
    if (member != nullptr && !member->xml_namespace.empty())
      writer_.name_space(member->xml_namespace, member->xml_prefix);
    else if (!type.xml_namespace.empty())
      writer_.name_space(type.xml_namespace, type.xml_prefix);
    else
      writer_.name_space(otherwise);
  }

  void attributes(const Type& type, const void* object) {
    for (const Member& member : type.members) {
      if (!member.xml_attribute) continue;
      if (const void* value = member.get(object))
        writer_.attribute(member.wire_name(), text(*member.type, &member, value));
    }
  }

  void content(const Type& type, const Member* member, const void* value) {
    switch (type.kind) {
      case Kind::structure:
        return members(type, value);
      case Kind::list:
        return list(type, value);
      case Kind::map:
        return entries(member, type, value, "entry");
      case Kind::string:
        return writer_.content(*static_cast<const std::string*>(value));
      default:
        return writer_.content(text(type, member, value));
    }
  }

  void list(const Type& type, const void* value) {
    const std::string_view name = type.element.location_name.empty() ? "member" : type.element.location_name;
    each_element(type, value, name);
  }

  // A flattened list goes by its member's name; where the list itself is flattened, by its element's first.
  void flattened_list(const Member& member, const void* value) {
    const std::string_view element_name = member.type->element.location_name;
    each_element(*member.type, value, names_elements(member) ? element_name : name_of(member), &member);
  }

  void each_element(const Type& type, const void* value, std::string_view name,
                    const Member* flattened_member = nullptr) {
    const std::size_t size = type.ops->size(value);
    for (std::size_t i = 0; i < size; ++i) {
      model::Element element = type.element;
      if (flattened_member != nullptr && !flattened_member->xml_namespace.empty()) {
        element.xml_namespace = flattened_member->xml_namespace;
        element.xml_prefix = flattened_member->xml_prefix;
      }
      inner(name, element, type.ops->at(value, i));
    }
  }

  // An element of a list, or a value of a map.
  void inner(std::string_view name, const model::Element& element, const void* value) {
    writer_.open(name);
    writer_.name_space(element.xml_namespace, element.xml_prefix);
    if (element.type->kind == Kind::structure) attributes(*element.type, value);
    content(*element.type, nullptr, value);
    writer_.close(name);
  }

  void entries(const Member* member, const Type& type, const void* value, std::string_view name) {
    struct Context {
      XmlEncoder& encoder;
      const Member* member;
      const Type& type;
      std::string_view name;
    } context{*this, member, type, name};
    type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      const auto& [encoder, of, map_type, entry_name] = *static_cast<Context*>(pointer);
      const auto& key_name = map_type.key.location_name;
      const auto& value_name = map_type.element.location_name;
      const std::string_view key_element = key_name.empty() ? "key" : key_name;
      encoder.writer_.open(entry_name);
      if (of != nullptr && of->flattened) encoder.writer_.name_space(of->xml_namespace, of->xml_prefix);
      encoder.writer_.open(key_element);
      encoder.writer_.name_space(map_type.key.xml_namespace, map_type.key.xml_prefix);
      encoder.writer_.content(key);
      encoder.writer_.close(key_element);
      encoder.inner(value_name.empty() ? "value" : value_name, map_type.element, each);
      encoder.writer_.close(entry_name);
    });
  }

  std::string text(const Type& type, const Member* member, const void* value) const {
    const TimestampFormat format = timestamp_format(member, type, style_.timestamps);
    if (type.kind == Kind::timestamp && format == TimestampFormat::iso8601 && style_.milliseconds)
      return iso8601(*static_cast<const Time*>(value), *style_.milliseconds);
    return format_scalar(type, format, value);
  }

  XmlWriter& writer_;
  const XmlStyle& style_;
};

}  // namespace

void encode_xml_members(XmlWriter& writer, const XmlStyle& style, const Type& type, const void* value) {
  XmlEncoder(writer, style).members(type, value);
}

void encode_xml_element(XmlWriter& writer, const XmlStyle& style, std::string_view name, const Type& type,
                        const Member* member, const void* value, std::string_view default_namespace) {
  XmlEncoder(writer, style).element(name, type, member, value, default_namespace);
}

WireReply encode_query_reply(const model::Service& service, const model::Operation& operation, Protocol protocol,
                             const void* output, std::string_view request_id) {
  const bool ec2 = protocol == Protocol::ec2;
  XmlStyle style = xml_style(service);
  style.query_names = !ec2;
  const std::string root = std::string(operation.name) + "Response";
  XmlWriter writer;
  if (ec2) writer.declaration();
  writer.open(root);
  // EC2's own answers end the namespace with a slash that its model lacks.
  const bool slash = ec2 && !service.xml_namespace.empty() && !service.xml_namespace.ends_with('/');
  writer.name_space(std::string(service.xml_namespace) + (slash ? "/" : ""));
  if (ec2) {
    writer.element("requestId", request_id);
    encode_xml_members(writer, style, *operation.output, output);
    // Operations that answer nothing else answer true ("Making requests to the Amazon EC2 API").
    if (operation.output->members.empty()) writer.element("return", "true");
  } else {
    // Services whose model is of another protocol name no wrapper (SQS): it is the operation's name then, too.
    std::string wrapper(operation.result_wrapper);
    if (wrapper.empty() && operation.has_output) wrapper = std::string(operation.name) + "Result";
    if (!wrapper.empty()) writer.open(wrapper);
    encode_xml_members(writer, style, *operation.output, output);
    if (!wrapper.empty()) writer.close(wrapper);
    writer.open("ResponseMetadata");
    writer.element("RequestId", request_id);
    writer.close("ResponseMetadata");
  }
  writer.close(root);
  WireReply reply;
  reply.headers.emplace_back("Content-Type", ec2 ? "text/xml;charset=UTF-8" : "text/xml");
  reply.body = Body::of(writer.take());
  return reply;
}

}  // namespace brume::protocols
