#include "services/s3/listing.h"

namespace brume::s3 {
namespace {

// Walks keys in order, each common prefix once. A group is left by a new scan behind it, so that a page costs what it
// shows and not what it hides.
class Walk {
 public:
  Walk(const ObjectIndex& index, const Snapshot& snapshot, const ListQuery& query)
      : index_(index), snapshot_(snapshot), query_(query) {}

  // `visit(key, record)` adds to the page and returns false when the page is full.
  template <class Visit>
  ListPage run(ListPage page, bool include_after, const Visit& visit) {
    page_ = std::move(page);
    ObjectIndex::Range range{query_.prefix, query_.after, !include_after};
    if (query_.limit == 0) return std::move(page_);
    while (scan(range, visit)) {
      const std::string behind = prefix_end(skip_);
      if (behind.empty()) break;
      range = {query_.prefix, behind, false};
    }
    return std::move(page_);
  }

 private:
  // True: the scan is to go on behind the group `skip_`.
  template <class Visit>
  bool scan(const ObjectIndex::Range& range, const Visit& visit) {
    bool again = false;
    index_.scan_current(snapshot_, query_.bucket, range, [&](const std::string& key, ObjectRecord record) {
      const std::string group = common_prefix(key, query_.prefix, query_.delimiter);
      if (group.empty()) return visit(page_, key, std::move(record));
      // A group of delete markers only is none for those who list current versions.
      if (hides_markers_ && record.delete_marker) return true;
      skip_ = group;
      if (group == query_.after) {
        again = true;
        return false;
      }
      if (full(page_)) {
        page_.truncated = true;
        return false;
      }
      page_.prefixes.push_back(group);
      page_.last = group;
      page_.last_version.clear();
      again = true;
      return false;
    });
    return again;
  }

 public:
  bool full(const ListPage& page) const { return page.items.size() + page.prefixes.size() >= query_.limit; }
  bool hides_markers_ = false;

 private:
  const ObjectIndex& index_;
  const Snapshot& snapshot_;
  const ListQuery& query_;
  ListPage page_;
  std::string skip_;
};

}  // namespace

std::string common_prefix(std::string_view key, std::string_view prefix, std::string_view delimiter) {
  if (delimiter.empty()) return {};
  const std::size_t found = key.find(delimiter, prefix.size());
  return found == std::string_view::npos ? std::string() : std::string(key.substr(0, found + delimiter.size()));
}

ListPage list_keys(const ObjectIndex& index, const Snapshot& snapshot, const ListQuery& query) {
  Walk walk(index, snapshot, query);
  walk.hides_markers_ = true;
  return walk.run({}, false, [&](ListPage& page, const std::string& key, ObjectRecord record) {
    if (record.delete_marker) return true;
    if (walk.full(page)) {
      page.truncated = true;
      return false;
    }
    page.last = key;
    page.items.push_back({key, std::move(record), true});
    return true;
  });
}

ListPage list_versions(const ObjectIndex& index, const Snapshot& snapshot, const ListQuery& query) {
  Walk walk(index, snapshot, query);
  const auto add = [&](ListPage& page, const std::string& key, ObjectRecord record, bool latest) {
    if (walk.full(page)) {
      page.truncated = true;
      return false;
    }
    page.last = key;
    page.last_version = record.version_id;
    page.items.push_back({key, std::move(record), latest});
    return true;
  };
  const bool within_key = !query.after_version.empty();
  const std::optional<std::uint64_t> marker = sequence_of_version(query.after_version);
  return walk.run({}, within_key, [&](ListPage& page, const std::string& key, ObjectRecord record) {
    // Versions up to the marker were given on the page before. The marker's own version may be gone by now.
    bool skipping = within_key && key == query.after;
    const auto offer = [&](ObjectRecord version, bool latest) {
      if (skipping && version.version_id == query.after_version) {
        skipping = false;
        return true;
      }
      if (skipping && (!marker || version.sequence >= *marker)) return true;
      return add(page, key, std::move(version), latest);
    };
    if (!offer(std::move(record), true)) return false;
    bool goes_on = true;
    index.scan_noncurrent(snapshot, query.bucket, key, 0, [&](ObjectRecord version) {
      goes_on = offer(std::move(version), false);
      return goes_on;
    });
    return goes_on;
  });
}

}  // namespace brume::s3
