#include <map>
#include <mutex>
#include <shared_mutex>

#include "core/text.h"
#include "planes/names/names.h"

namespace brume::names {
namespace {

constexpr std::size_t kLongestChain = 8;

using View = std::map<std::string, std::vector<Record>, std::less<>>;

class MemoryZone final : public Zone {
 public:
  void put(const std::string& view, const std::string& name, std::vector<Record> records) override {
    const std::unique_lock lock(mutex_);
    if (!records.empty()) {
      views_[view][to_lower(name)] = std::move(records);
      return;
    }
    const auto found = views_.find(view);
    if (found == views_.end()) return;
    found->second.erase(to_lower(name));
    if (found->second.empty()) views_.erase(found);
  }

  void remove_view(const std::string& view) override {
    const std::unique_lock lock(mutex_);
    views_.erase(view);
  }

  Answer find(std::string_view view, std::string_view name, RecordType type) const override {
    const std::shared_lock lock(mutex_);
    Answer answer;
    std::string at = to_lower(name);
    if (at.ends_with('.')) at.pop_back();
    answer.ours = is_aws_name(at) || is_in_published_zone(view, at);
    for (std::size_t hop = 0; hop < kLongestChain; ++hop) {
      const std::vector<Record>* records = lookup(view, at);
      if (records == nullptr) {
        // A chain that leaves the zone ends here: the name itself exists all the same.
        if (hop == 0) answer.exists = answer.ours && has_names_below(view, at);
        return answer;
      }
      answer.exists = answer.ours = true;
      const Record* alias = nullptr;
      for (const Record& record : *records) {
        if (record.type == type || type == RecordType::any) answer.records.push_back(record);
        if (record.type == RecordType::cname) alias = &record;
      }
      if (alias == nullptr || type == RecordType::cname || type == RecordType::any) return answer;
      answer.records.push_back(*alias);
      at = to_lower(alias->value);
      if (at.ends_with('.')) at.pop_back();
    }
    return answer;
  }

 private:
  // The VPC's own names come first, wildcards included: a private zone hides the public one.
  const std::vector<Record>* lookup(std::string_view view, std::string_view name) const {
    if (!view.empty())
      if (const auto* records = lookup_in(view, name)) return records;
    return lookup_in("", name);
  }

  const std::vector<Record>* lookup_in(std::string_view view, std::string_view name) const {
    const auto names = views_.find(view);
    if (names == views_.end()) return nullptr;
    if (const auto exact = names->second.find(name); exact != names->second.end()) return &exact->second;
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
      const auto wildcard = names->second.find("*" + std::string(name.substr(dot)));
      if (wildcard != names->second.end()) return &wildcard->second;
    }
    return nullptr;
  }

  // A service that publishes a whole zone puts its SOA; every name below is then answered here or not at all.
  bool is_in_published_zone(std::string_view view, std::string_view name) const {
    for (std::string_view seen : {view, std::string_view()}) {
      const auto names = views_.find(seen);
      if (names == views_.end()) continue;
      for (std::string_view at = name; !at.empty();) {
        if (const auto found = names->second.find(at); found != names->second.end())
          for (const Record& record : found->second)
            if (record.type == RecordType::soa) return true;
        const std::size_t dot = at.find('.');
        at = dot == std::string_view::npos ? std::string_view() : at.substr(dot + 1);
      }
    }
    return false;
  }

  // An ancestor of a published name exists, without records (RFC 8020). Asked only for names that have none, which is
  // why a walk over the names is cheap enough.
  bool has_names_below(std::string_view view, std::string_view name) const {
    const std::string suffix = "." + std::string(name);
    for (std::string_view seen : {view, std::string_view()}) {
      const auto names = views_.find(seen);
      if (names == views_.end()) continue;
      for (const auto& [published, records] : names->second)
        if (published.ends_with(suffix)) return true;
    }
    return false;
  }

  mutable std::shared_mutex mutex_;
  std::map<std::string, View, std::less<>> views_;
};

}  // namespace

std::unique_ptr<Zone> make_zone() { return std::make_unique<MemoryZone>(); }

}  // namespace brume::names
