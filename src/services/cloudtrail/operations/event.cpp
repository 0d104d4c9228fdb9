// The history of events, and the keys that digests are verified with.
#include <algorithm>
#include <memory>

#include "core/text.h"
#include "services/cloudtrail/cloudtrail.h"

namespace brume::cloudtrail {
namespace {

constexpr std::int64_t kLargestPage = 50;

struct Search {
  Scope scope;
  Time from, until;
  std::string key, value;  // of the attribute; empty: every event
  std::size_t limit = 0;
  std::string position;
  std::vector<EventRecord> found;
  std::string last;   // where the last found one is
  bool more = false;  // there is another one
};

bool matches(const Search& search, const EventRecord& event) {
  if (!event.management) return false;
  const std::string &key = search.key, &value = search.value;
  if (key.empty()) return true;
  if (key == "EventId") return event.id == value;
  if (key == "EventName") return event.name == value;
  if (key == "EventSource") return event.source == value;
  if (key == "ReadOnly") return (event.read_only ? "true" : "false") == value;
  if (key == "Username") return event.user_name == value;
  if (key == "AccessKeyId") return event.access_key_id == value;
  return std::ranges::any_of(event.resources, [&](const ResourceName& resource) {
    return (key == "ResourceType" ? resource.type : resource.name) == value;
  });
}

void search_history(const EventHistory& history, Search& search) {
  history.read(search.scope, search.from, search.until, search.position,
               [&](const std::string& position, const EventRecord& event) {
                 if (!matches(search, event)) return true;
                 search.more = search.found.size() == search.limit;
                 if (search.more) return false;
                 search.found.push_back(event);
                 search.last = position;
                 return true;
               });
}

Event describe(const EventRecord& record) {
  Event event;
  event.event_id = record.id;
  event.event_name = record.name;
  event.event_source = record.source;
  event.event_time = Time{record.time.ms / 1000 * 1000};
  event.read_only = record.read_only ? "true" : "false";
  if (!record.access_key_id.empty()) event.access_key_id = record.access_key_id;
  if (!record.user_name.empty()) event.username = record.user_name;
  auto& resources = event.resources.emplace();
  for (const ResourceName& named : record.resources) {
    Resource resource;
    resource.resource_type = named.type;
    resource.resource_name = named.name;
    resources.push_back(std::move(resource));
  }
  event.cloud_trail_event = json_of(record);
  return event;
}

}  // namespace

void lookup_events(Cloudtrail& cloudtrail, Tx&, const Request<LookupEventsInput>& request,
                   Deferred<LookupEventsOutput> answer) {
  const LookupEventsInput& input = request.input;
  if (input.event_category)
    throw invalid_event_category_exception("Brume does not serve Insights events of cloudtrail:LookupEvents.");
  const std::int64_t limit = input.max_results.value_or(kLargestPage);
  if (limit < 1 || limit > kLargestPage) throw invalid_max_results_exception("MaxResults must be between 1 and 50.");
  const auto& attributes = input.lookup_attributes.get();
  if (attributes.size() > 1) throw invalid_lookup_attributes_exception("You can provide only one lookup attribute.");
  auto search = std::make_shared<Search>();  // goes to a worker and back
  search->scope = request.scope;
  search->from = std::max(input.start_time.value_or(Time{}), request.now - kHistory);
  search->until = input.end_time.value_or(request.now);
  if (search->from > search->until)
    throw invalid_time_range_exception("Invalid time range: start time is after end time.");
  if (input.end_time) search->until.ms += 999;  // the whole second
  if (!attributes.empty()) {
    search->key = attributes.front().attribute_key.get();
    search->value = attributes.front().attribute_value.get();
  }
  search->limit = static_cast<std::size_t>(limit);
  const std::string purpose =
      paging_purpose("cloudtrail:LookupEvents", request.scope, search->key + "=" + search->value);
  if (input.next_token) {
    const auto position = cloudtrail.paging.open(purpose, *input.next_token);
    if (!position)
      throw invalid_next_token_exception("Invalid next token: the attributes of a search must not change.");
    search->position = from_hex(*position).value_or("");
  }
  // What was asked before this call is in the history by now.
  cloudtrail.recorder.flush([&cloudtrail, search, purpose, answer] {
    cloudtrail.needs.workers.run([&cloudtrail, search] { search_history(cloudtrail.history, *search); },
                                 [&cloudtrail, search, purpose, answer] {
                                   LookupEventsOutput output;
                                   auto& events = output.events.emplace();
                                   for (const EventRecord& record : search->found) events.push_back(describe(record));
                                   if (search->more)
                                     output.next_token = cloudtrail.paging.seal(purpose, to_hex(search->last));
                                   answer.succeed(std::move(output));
                                 });
  });
}

ListPublicKeysOutput list_public_keys(Cloudtrail& cloudtrail, Tx&, const Request<ListPublicKeysInput>& request) {
  if (request.input.next_token) throw invalid_token_exception("The token is not valid.");
  ListPublicKeysOutput output;
  auto& list = output.public_key_list.emplace();
  const KeyRecord* record = cloudtrail.delivery.keys.find({{}, request.scope.region}, "key");
  if (record == nullptr || (request.input.end_time && *request.input.end_time < record->from)) return output;
  PublicKey key;
  key.value = record->public_der;
  key.fingerprint = record->fingerprint;
  key.validity_start_time = record->from;
  key.validity_end_time = record->from + days(3650);
  list.push_back(std::move(key));
  return output;
}

}  // namespace brume::cloudtrail
