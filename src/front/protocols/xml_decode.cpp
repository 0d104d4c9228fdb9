#include <algorithm>
#include <charconv>
#include <cstdint>
#include <pugixml.hpp>
#include <utility>

#include "core/text.h"
#include "front/protocols/codec.h"
#include "front/protocols/utf8.h"

namespace brume::protocols {
namespace {

std::string_view local_name(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto byte = [&out](std::uint32_t bits) { out += static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { byte(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xc0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      byte(0xe0 | (code >> 12));
    } else {
      byte(0xf0 | (code >> 18));
      tail(12);
    }
    tail(6);
  }
  tail(0);
}

// The character of a reference by number, given what stands between "&#" and ';'. "Legal Character" of XML 1.0: there
// must be one. Control characters but NUL are taken although XML 1.0 has no place for them: S3 itself writes them so.
bool append_numbered(std::string_view number, std::string& out) {
  const bool hex = number.starts_with('x');
  if (hex) number.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(number.begin(), number.end(), code, hex ? 16 : 10);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (error != std::errc() || end != number.end() || code == 0 || code > 0x10ffff || surrogate) return false;
  append_utf8(code, out);
  return true;
}

// XML's own five names. What has another name stands for itself, since there is no document type to define it.
void append_named(std::string_view reference, std::string& out) {
  constexpr std::pair<std::string_view, char> kNamed[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  for (const auto& [name, character] : kNamed)
    if (reference == name) return out.push_back(character);
  out += reference;
}

// Restful XML, "AWS restXml protocol" of the Smithy specification. Namespaces are not told apart, as in S3.
// The parser leaves references as they are: it would take those that stand for no character, and wrap large numbers.
class XmlDecoder {
 public:
  explicit XmlDecoder(Decoding& decoding) : decoding_(decoding) {}

  void any(const Member* member, const Type& type, const pugi::xml_node& node, void* value) {
    const Deeper deeper(*this);
    switch (type.kind) {
      case Kind::structure:
        return structure(type, node, value);
      case Kind::list:
        return list(member, type, node, value);
      case Kind::map:
        return map(member, type, node, value);
      default:
        return scalar(member, type, text_of(node), value);
    }
  }

  void structure(const Type& type, const pugi::xml_node& node, void* object) {
    std::size_t hint = 0;
    for (const pugi::xml_node child : node.children()) {
      if (child.type() != pugi::node_element) continue;
      const Member* member = find_member(type, local_name(child.name()), hint);
      if (member == nullptr) {
        decoding_.ignore(local_name(child.name()));
      } else if (member->flattened && (member->type->kind == Kind::list || member->type->kind == Kind::map)) {
        flattened(*member, child, object);
      } else {
        any(member, *member->type, child, member->emplace(object));
      }
    }
    attributes(type, node, object);
  }

 private:
  struct Deeper {
    explicit Deeper(XmlDecoder& decoder) : depth(decoder.depth_) {
      if (++depth > kDeepestDocument)
        throw malformed(decoder.decoding_.protocol, decoder.decoding_.service, "The request is nested too deeply.");
    }
    Deeper(const Deeper&) = delete;
    ~Deeper() { --depth; }
    int& depth;
  };

  static bool named(const Member& member, std::string_view name) {
    if (member.location != model::Location::body || member.xml_attribute) return false;
    if (local_name(member.wire_name()) == name) return true;
    return names_elements(member) && member.type->element.location_name == name;
  }

  static const Member* find_member(const Type& type, std::string_view name, std::size_t& hint) {
    const std::size_t size = type.members.size();
    for (std::size_t step = 0; step < size; ++step) {
      const std::size_t index = (hint + step) % size;
      if (!named(type.members[index], name)) continue;
      hint = index;  // a flattened list repeats its name
      return &type.members[index];
    }
    return nullptr;
  }

  void attributes(const Type& type, const pugi::xml_node& node, void* object) {
    for (const Member& member : type.members) {
      if (!member.xml_attribute) continue;
      for (const pugi::xml_attribute attribute : node.attributes())
        if (local_name(attribute.name()) == local_name(member.wire_name()))
          scalar(&member, *member.type, resolved(attribute.value()), member.emplace(object));
    }
  }

  std::string text_of(const pugi::xml_node& node) const {
    std::string text;
    for (const pugi::xml_node child : node.children()) {
      if (child.type() == pugi::node_pcdata) text += resolved(child.value());
      if (child.type() == pugi::node_cdata) text += child.value();
    }
    return text;
  }

  // Text with its references replaced.
  std::string resolved(std::string_view text) const {
    std::string out;
    for (std::size_t mark = text.find('&'); mark != std::string_view::npos; mark = text.find('&')) {
      out += text.substr(0, mark);
      text.remove_prefix(mark);
      const std::size_t stop = std::min(text.find_first_of("&;", 1), text.size());
      const bool ended = stop < text.size() && text[stop] == ';';
      const std::string_view reference = text.substr(0, stop + (ended ? 1 : 0));
      if (!reference.starts_with("&#"))
        append_named(reference, out);
      else if (!ended || !append_numbered(reference.substr(2, stop - 2), out))
        throw malformed(decoding_.protocol, decoding_.service, "The request's XML cannot be read.");
      text.remove_prefix(reference.size());
    }
    return out.append(text);
  }

  // The elements of one list come one by one: the first makes it, the others find it.
  void flattened(const Member& member, const pugi::xml_node& node, void* object) {
    void* value = member.get(object);
    if (value == nullptr) value = member.emplace(object);
    const Type& type = *member.type;
    if (type.kind == Kind::list)
      any(&member, *type.element.type, node, type.ops->append(type, value));
    else
      entry(&member, type, node, value);
  }

  void list(const Member* member, const Type& type, const pugi::xml_node& node, void* value) {
    for (const pugi::xml_node child : node.children())
      if (child.type() == pugi::node_element) any(member, *type.element.type, child, type.ops->append(type, value));
  }

  void map(const Member* member, const Type& type, const pugi::xml_node& node, void* value) {
    for (const pugi::xml_node child : node.children())
      if (child.type() == pugi::node_element) entry(member, type, child, value);
  }

  void entry(const Member* member, const Type& type, const pugi::xml_node& node, void* value) {
    const std::string_view key_name = type.key.location_name.empty() ? "key" : type.key.location_name;
    const std::string_view value_name = type.element.location_name.empty() ? "value" : type.element.location_name;
    std::string key;
    pugi::xml_node found;
    for (const pugi::xml_node child : node.children()) {
      if (local_name(child.name()) == key_name) key = text_of(child);
      if (local_name(child.name()) == value_name) found = child;
    }
    void* slot = type.ops->insert(type, value, std::move(key));
    if (found) any(member, *type.element.type, found, slot);
  }

  void scalar(const Member* member, const Type& type, const std::string& text, void* value) {
    if (!decoding_.read(type, timestamp_format(member, type, TimestampFormat::iso8601), text, value))
      throw malformed(decoding_.protocol, decoding_.service, "The value '" + text + "' cannot be read.");
  }

  Decoding& decoding_;
  int depth_ = 0;
};

// S3 refuses a root element of another name; the others do not look at it.
bool root_fits(const Decoding& decoding, const Type& type, const Member* payload, std::string_view root) {
  if (!is_s3(decoding.service)) return true;
  if (payload != nullptr && payload->wire_name() == root) return true;
  return type.name == root || type.location_name == root || decoding.operation.input_root == root;
}

bool has_document_type(const pugi::xml_document& document) {
  for (const pugi::xml_node child : document.children())
    if (child.type() == pugi::node_doctype) return true;
  return false;
}

}  // namespace

void decode_xml(Decoding& decoding, const Type& type, const Member* payload, std::string_view text, void* value) {
  if (text.size() > kLargestDocument) throw AwsError("RequestEntityTooLarge", "The request is too large.", 413);
  pugi::xml_document document;
  constexpr unsigned int kHow =
      (pugi::parse_default & ~pugi::parse_escapes) | pugi::parse_ws_pcdata_single | pugi::parse_doctype;
  const auto result = document.load_buffer(text.data(), text.size(), kHow, pugi::encoding_utf8);
  const pugi::xml_node root = document.document_element();
  // A document type could define entities, which no request needs.
  if (!is_utf8(text) || !result || !root || has_document_type(document) ||
      !root_fits(decoding, type, payload, local_name(root.name())))
    throw malformed(decoding.protocol, decoding.service, "The request's XML cannot be read.");
  XmlDecoder decoder(decoding);
  decoder.any(payload, type, root, value);
}

}  // namespace brume::protocols
