// Smithy's RPC v2 CBOR protocol: bodies as CBOR maps by member name, timestamps under tag 1.
#include "front/protocols/cbor_items.h"
#include "front/protocols/codec.h"

namespace brume::protocols {
namespace {

using Item = CborItem::Type;

std::string_view item_name(Item type) {
  switch (type) {
    case Item::natural:
    case Item::negative:
      return "an integer";
    case Item::bytes:
      return "a byte string";
    case Item::text:
      return "a text string";
    case Item::array:
      return "an array";
    case Item::map:
      return "a map";
    case Item::tag:
      return "a tagged item";
    case Item::boolean:
      return "a boolean";
    case Item::number:
      return "a floating-point number";
    case Item::null:
    case Item::stop:
      break;
  }
  return "null";
}

class CborDecoder {
 public:
  CborDecoder(Decoding& decoding, CborItems& items) : decoding_(decoding), items_(items) {}

  void any(const Type& type, const CborItem& head, void* value) {
    if (++depth_ > kDeepestDocument) throw CborError("The document is nested too deeply.");
    if (type.kind == Kind::structure)
      structure(type, head, value);
    else if (type.kind == Kind::list)
      list(type, head, value);
    else if (type.kind == Kind::map)
      map(type, head, value);
    else
      scalar(type, head, value);
    --depth_;
  }

 private:
  [[noreturn]] static void refuse(const Type& type, const CborItem& head) {
    throw CborError("The document has " + std::string(item_name(head.type)) + " where " + std::string(type.name) +
                    " has none.");
  }

  std::string key(const CborItem& head) {
    if (!head.is(Item::text)) throw CborError("A map's key is not a text string.");
    return items_.string(head);
  }

  void structure(const Type& type, const CborItem& head, void* object) {
    if (!head.is(Item::map)) refuse(type, head);
    CborChildren children(items_, head);
    for (CborItem child; children.more(child);) {
      const std::string name = key(child);
      const CborItem item = items_.next();
      const Member* member = type.find(name);
      if (member == nullptr) {
        if (name != "__type") decoding_.ignore(name);
        items_.skip(item);
      } else if (!item.is(Item::null)) {
        any(*member->type, item, member->emplace(object));
      }
    }
  }

  void list(const Type& type, const CborItem& head, void* value) {
    if (!head.is(Item::array)) refuse(type, head);
    CborChildren children(items_, head);
    for (CborItem child; children.more(child);)
      if (!child.is(Item::null)) any(*type.element.type, child, type.ops->append(type, value));
  }

  void map(const Type& type, const CborItem& head, void* value) {
    if (!head.is(Item::map)) refuse(type, head);
    CborChildren children(items_, head);
    for (CborItem child; children.more(child);) {
      std::string name = key(child);
      const CborItem item = items_.next();
      if (!item.is(Item::null)) any(*type.element.type, item, type.ops->insert(type, value, std::move(name)));
    }
  }

  void scalar(const Type& type, const CborItem& head, void* value) {
    switch (type.kind) {
      case Kind::string:
        if (!head.is(Item::text)) refuse(type, head);
        *static_cast<std::string*>(value) = items_.string(head);
        return;
      case Kind::blob:
        if (!head.is(Item::bytes)) refuse(type, head);
        *static_cast<std::string*>(value) = items_.string(head);
        return;
      case Kind::boolean:
        if (!head.is(Item::boolean)) refuse(type, head);
        *static_cast<bool*>(value) = head.truth;
        return;
      case Kind::integer:
        *static_cast<std::int64_t*>(value) = integer(type, head);
        return;
      case Kind::number:
        *static_cast<double*>(value) = real(type, head);
        return;
      case Kind::timestamp:
        if (!head.is(Item::tag) || head.value != kEpochTime) refuse(type, head);
        return timestamp(type, *static_cast<Time*>(value));
      default:  // the protocol has neither documents nor streams in its bodies
        refuse(type, head);
    }
  }

  std::int64_t integer(const Type& type, const CborItem& head) const {
    if (!head.is(Item::natural) && !head.is(Item::negative)) refuse(type, head);
    if (head.value > INT64_MAX) throw CborError("An integer is too large.");
    const auto natural = static_cast<std::int64_t>(head.value);
    const std::int64_t value = head.is(Item::negative) ? -1 - natural : natural;
    if (type.kind == Kind::integer && !decoding_.fits(type, value)) throw CborError("An integer is too large.");
    return value;
  }

  double real(const Type& type, const CborItem& head) const {
    return head.is(Item::number) ? head.number : static_cast<double>(integer(type, head));
  }

  void timestamp(const Type& type, Time& out) {
    if (!read_seconds(real(type, items_.next()), out)) throw CborError("A timestamp is too far away.");
  }

  Decoding& decoding_;
  CborItems& items_;
  int depth_ = 0;
};

class CborEncoder {
 public:
  explicit CborEncoder(std::string& out) : out_(out) {}

  void any(const Type& type, const void* value) {
    switch (type.kind) {
      case Kind::structure:
        return structure(type, value);
      case Kind::list: {
        const std::size_t size = type.ops->size(value);
        out_.array(size);
        for (std::size_t i = 0; i < size; ++i) any(*type.element.type, type.ops->at(value, i));
        return;
      }
      case Kind::map:
        return map(type, value);
      case Kind::string:
        return out_.text(*static_cast<const std::string*>(value));
      case Kind::blob:
        return out_.bytes(*static_cast<const std::string*>(value));
      case Kind::integer:
        return out_.integer(*static_cast<const std::int64_t*>(value));
      case Kind::number:
        return out_.number(*static_cast<const double*>(value));
      case Kind::boolean:
        return out_.boolean(*static_cast<const bool*>(value));
      case Kind::timestamp:
        return out_.epoch_seconds(static_cast<double>(static_cast<const Time*>(value)->ms) / 1000);
      case Kind::document:
      case Kind::stream:
        break;
    }
    throw AwsError("InternalFailure", "rpc-v2-cbor has neither documents nor streams in its bodies.", 500);
  }

 private:
  void structure(const Type& type, const void* object) {
    std::size_t present = 0;
    for (const Member& member : type.members) present += member.get(object) != nullptr ? 1U : 0U;
    out_.map(present);
    for (const Member& member : type.members) {
      const void* value = member.get(object);
      if (value == nullptr) continue;
      out_.text(member.name);
      any(*member.type, value);
    }
  }

  void map(const Type& type, const void* value) {
    struct Context {
      CborEncoder& encoder;
      const Type& element;
    } context{*this, *type.element.type};
    out_.map(type.ops->size(value));
    type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      const auto& [encoder, element] = *static_cast<Context*>(pointer);
      encoder.out_.text(key);
      encoder.any(element, each);
    });
  }

  CborItemWriter out_;
};

}  // namespace

void decode_rpc_v2_cbor(Decoding& decoding, void* input) {
  const std::string_view body = decoding.request.body;
  if (body.empty()) return;  // of an operation without an input
  if (body.size() > kLargestDocument)
    throw AwsError("RequestEntityTooLargeException", "The request is too large.", 413);
  try {
    CborItems items(body);
    CborDecoder(decoding, items).any(*decoding.operation.input, items.next(), input);
    if (!items.at_end()) throw CborError("The document is followed by other bytes.");
  } catch (const CborError& error) {
    throw malformed(decoding.protocol, decoding.service, error.what());
  }
}

WireReply encode_rpc_v2_cbor(const model::Operation& operation, const void* output) {
  WireReply reply;
  reply.headers.emplace_back("Smithy-Protocol", "rpc-v2-cbor");
  if (!operation.has_output) return reply;
  reply.headers.emplace_back("Content-Type", "application/cbor");
  std::string text;
  CborEncoder(text).any(*operation.output, output);
  reply.body = Body::of(std::move(text));
  return reply;
}

void encode_cbor(const Type& type, const void* value, std::string& out) { CborEncoder(out).any(type, value); }

}  // namespace brume::protocols
