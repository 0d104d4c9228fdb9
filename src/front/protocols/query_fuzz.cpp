// Fuzz target: query strings and forms of the query and ec2 protocols. What is accepted is written down as a form by
// the rules of "AWS Query protocol" and read again as the same value; the answer that holds it can be written. The
// first byte chooses the protocol.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "front/protocols/test_echo.h"

namespace brume::protocols {
namespace {

class FormWriter {
 public:
  explicit FormWriter(bool ec2) : ec2_(ec2) {}
  std::string take() { return std::move(form_); }
  const std::vector<std::string>& texts() const { return texts_; }

  void structure(const Type& type, const std::string& prefix, const void* object) {
    for (const Member& member : type.members) {
      const void* value = member.get(object);
      if (value == nullptr) continue;
      std::string name(member.wire_name());
      if (ec2_ && name[0] >= 'a') name[0] = static_cast<char>(name[0] - 'a' + 'A');
      any(*member.type, member.flattened, prefix + name, value,
          timestamp_format(&member, *member.type, TimestampFormat::iso8601));
    }
  }

 private:
  void any(const Type& type, bool flattened, const std::string& name, const void* value, TimestampFormat format) {
    switch (type.kind) {
      case model::Kind::structure:
        return structure(type, name + ".", value);
      case model::Kind::list:
        return list(type, flattened || ec2_ ? name : name + "." + or_else(type.element.location_name, "member"), value);
      case model::Kind::map:
        return map(type, flattened ? name : name + ".entry", value);
      default:
        if (type.kind == model::Kind::string) texts_.push_back(*static_cast<const std::string*>(value));
        form_ += (form_.empty() ? "" : "&") + percent_encode(name) + "=" +
                 percent_encode(format_scalar(type, format, value));
    }
  }
  static std::string or_else(std::string_view name, std::string_view otherwise) {
    return std::string(name.empty() ? otherwise : name);
  }
  void list(const Type& type, const std::string& name, const void* value) {
    for (std::size_t i = 0; i < type.ops->size(value); ++i) {
      const std::string item = name + "." + std::to_string(i + 1);
      any(*type.element.type, type.element.type->flattened, item, type.ops->at(value, i), TimestampFormat::iso8601);
    }
  }
  void map(const Type& type, const std::string& name, const void* value) {
    struct Context {
      FormWriter& writer;
      const Type& type;
      const std::string& name;
      int index = 0;
    } context{*this, type, name};
    type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      auto& [writer, of, prefix, index] = *static_cast<Context*>(pointer);
      const std::string entry = prefix + "." + std::to_string(++index) + ".";
      writer.any(*of.key.type, false, entry + or_else(of.key.location_name, "key"), &key, {});
      writer.any(*of.element.type, false, entry + or_else(of.element.location_name, "value"), each,
                 TimestampFormat::iso8601);
    });
  }

  bool ec2_;
  std::string form_;
  std::vector<std::string> texts_;
};

// What the client said, decoded by the rules of HTML's forms.
std::set<std::string> said(std::string_view form) {
  std::set<std::string> texts;
  for (const std::string_view pair : split(form, '&')) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string text;
    for (std::size_t i = equals + 1; i < pair.size(); ++i) {
      const bool escape = pair[i] == '%' && i + 2 < pair.size();
      text += escape           ? static_cast<char>(std::stoi("0" + std::string(pair.substr(i + 1, 2)), nullptr, 16))
              : pair[i] == '+' ? ' '
                               : pair[i];
      if (escape) i += 2;
    }
    texts.insert(text);
  }
  return texts;
}

std::vector<std::string> values_of(std::string_view form) {
  std::vector<std::string> values;
  for (const std::string_view pair : split(form, '&')) values.emplace_back(pair.substr(pair.find('=') + 1));
  return values;
}

}  // namespace
}  // namespace brume::protocols

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::protocols;
  if (size == 0) return 0;
  static const std::unique_ptr<DynamicModel> models[] = {echo_model("query"), echo_model("ec2", "ec2")};
  const bool ec2 = data[0] % 2 == 1;
  const model::Service& service = models[ec2 ? 1 : 0]->service();
  const model::Operation& operation = service.operations.front();
  model::Object first(*operation.input);
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!read_echo(service, body, first)) return 0;
  encode(service, operation, service.protocols.front(), first.get(), "id");
  FormWriter writer(ec2);
  writer.structure(*operation.input, "", first.get());
  // Nothing was made up: every text is one that the client sent.
  const std::set<std::string> sent = said(body);
  for (const std::string& text : writer.texts()) BRUME_CHECK(sent.contains(text));
  const std::string form = writer.take();
  model::Object second(*operation.input), third(*operation.input);
  BRUME_CHECK(read_echo(service, form, second));
  // Empty lists, maps and structures cannot be said in a form: they are gone after the first time, and those behind
  // them have moved up. The values are the same.
  FormWriter again(ec2);
  again.structure(*operation.input, "", second.get());
  const std::string form_again = again.take();
  BRUME_CHECK(values_of(form) == values_of(form_again));
  BRUME_CHECK(read_echo(service, form_again, third) && shown(service, second) == shown(service, third));
  return 0;
}
