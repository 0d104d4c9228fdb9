#include "services/cloudtrail/record_size.h"

namespace brume::cloudtrail {
namespace {

using model::Kind;

constexpr std::size_t kMember = 48;     // of a structure: an optional string, vector or map
constexpr std::size_t kMapEntry = 128;  // a node with its key

class Counter {
 public:
  explicit Counter(std::size_t limit) : limit_(limit) {}

  void add(const model::Type& type, const void* value) {
    if (bytes_ > limit_) return;
    switch (type.kind) {
      case Kind::string:
      case Kind::document:
      case Kind::blob:
        bytes_ += sizeof(std::string) + static_cast<const std::string*>(value)->size();
        return;
      case Kind::structure:
        bytes_ += type.members.size() * kMember;
        for (const model::Member& member : type.members)
          if (const void* each = member.get(value)) add(*member.type, each);
        return;
      case Kind::list:
        for (std::size_t i = 0, size = type.ops->size(value); i < size && bytes_ <= limit_; ++i)
          add(*type.element.type, type.ops->at(value, i));
        return;
      case Kind::map: {
        struct Context {
          Counter& counter;
          const model::Type& element;
        } context{*this, *type.element.type};
        type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
          auto& [counter, element] = *static_cast<Context*>(pointer);
          counter.bytes_ += kMapEntry + key.size();
          counter.add(element, each);
        });
        return;
      }
      default:
        bytes_ += sizeof(std::int64_t);
    }
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t limit_, bytes_ = 0;
};

}  // namespace

std::size_t memory_of(const model::Type& type, const void* value, std::size_t limit) {
  Counter counter(limit);
  counter.add(type, value);
  return counter.bytes();
}

std::size_t memory_of_context(const AuditRecord& record) {
  const RequestContext& context = record.context;
  return sizeof(AuditRecord) + record.error_message.size() + record.operation_name.size() + context.user_agent.size() +
         context.host.size() + context.request_id.size() + context.principal.arn.size() + context.principal.id.size() +
         context.principal.role_arn.size();
}

}  // namespace brume::cloudtrail
