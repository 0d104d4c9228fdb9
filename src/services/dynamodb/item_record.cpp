// Items as they are stored: the bytes that record.h makes of an ItemRecord, written and read by hand, since items are
// what DynamoDB's requests are made of.
#include "services/dynamodb/value.h"
#include "store/cbor.h"

namespace brume::dynamodb {
namespace {

void write_attributes(CborWriter& out, const Item& item);

void write_strings(CborWriter& out, const std::vector<std::string>& values) {
  out.array(values.size());
  for (const std::string& value : values) out.bytes(value);
}

// In the order in which the members are described, absent ones left out.
void write_value(CborWriter& out, const AttributeValue& value) {
  out.map(std::size_t{value.s.has_value()} + value.n.has_value() + value.b.has_value() + value.ss.has_value() +
          value.ns.has_value() + value.bs.has_value() + value.m.has_value() + value.l.has_value() +
          value.null.has_value() + value.bool_.has_value());
  if (value.s) out.text("s"), out.bytes(*value.s);
  if (value.n) out.text("n"), out.bytes(*value.n);
  if (value.b) out.text("b"), out.bytes(*value.b);
  if (value.ss) out.text("ss"), write_strings(out, *value.ss);
  if (value.ns) out.text("ns"), write_strings(out, *value.ns);
  if (value.bs) out.text("bs"), write_strings(out, *value.bs);
  if (value.m) out.text("m"), write_attributes(out, *value.m);
  if (value.l) {
    out.text("l");
    out.array(value.l->size());
    for (const AttributeValue& element : *value.l) write_value(out, element);
  }
  if (value.null) out.text("null"), out.boolean(*value.null);
  if (value.bool_) out.text("bool_"), out.boolean(*value.bool_);
}

void write_attributes(CborWriter& out, const Item& item) {
  out.map(item.size());
  for (const auto& [name, value] : item) {
    out.bytes(name);
    write_value(out, value);
  }
}

void read_attributes(CborReader& in, Item& item);

void read_strings(CborReader& in, std::vector<std::string>& values) {
  values.clear();
  for (std::size_t left = in.array(); left > 0; --left) values.emplace_back(in.string());
}

void read_value(CborReader& in, AttributeValue& value);

void read_list(CborReader& in, std::vector<AttributeValue>& values) {
  values.clear();
  for (std::size_t left = in.array(); left > 0; --left) read_value(in, values.emplace_back());
}

void read_member(CborReader& in, std::string_view name, AttributeValue& value) {
  if (name == "s") {
    value.s.ensure() = in.string();
  } else if (name == "n") {
    value.n.ensure() = in.string();
  } else if (name == "b") {
    value.b.ensure() = in.string();
  } else if (name == "l") {
    read_list(in, value.l.ensure());
  } else if (name == "m") {
    read_attributes(in, value.m.ensure());
  } else if (name == "ss") {
    read_strings(in, value.ss.ensure());
  } else if (name == "ns") {
    read_strings(in, value.ns.ensure());
  } else if (name == "bs") {
    read_strings(in, value.bs.ensure());
  } else if (name == "null") {
    value.null.ensure() = in.boolean();
  } else if (name == "bool_") {
    value.bool_.ensure() = in.boolean();
  } else {
    in.skip();
  }
}

void read_value(CborReader& in, AttributeValue& value) {
  const CborReader::Level level(in);
  for (std::size_t left = in.map(); left > 0; --left) {
    const std::string_view name = in.string();
    read_member(in, name, value);
  }
}

// Names were written in their order: each has its place at the end.
void read_attributes(CborReader& in, Item& item) {
  item.clear();
  for (std::size_t left = in.map(); left > 0; --left) {
    const std::string_view name = in.string();
    read_value(in, item.try_emplace(item.end(), std::string(name))->second);
  }
}

}  // namespace

std::string encode_item(const Item& item) {
  CborWriter out;
  out.map(item.empty() ? 0 : 1);
  if (!item.empty()) {
    out.text("attributes");
    write_attributes(out, item);
  }
  return out.take();
}

Item decode_item(std::string_view bytes) {
  CborReader in(bytes);
  Item item;
  for (std::size_t left = in.map(); left > 0; --left) {
    if (in.string() == "attributes")
      read_attributes(in, item);
    else
      in.skip();
  }
  if (!in.at_end()) throw_damaged_record("bytes are left over");
  return item;
}

}  // namespace brume::dynamodb
