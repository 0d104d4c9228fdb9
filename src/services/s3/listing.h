// Pages of a bucket's keys and versions, as ListObjects, ListObjectsV2 and ListObjectVersions cut them: "Listing object
// keys programmatically", "Organizing objects using prefixes". Over a snapshot, on a worker.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/s3/object_index.h"

namespace brume::s3 {

struct ListQuery {
  std::string bucket, prefix, delimiter;
  std::string after;  // a key, or a common prefix that was already given; empty: from the start
  // Versions of the key `after` that follow this one are still to come; 0: none are.
  std::string after_version;
  std::size_t limit = 1000;
};

struct ListedKey {
  std::string key;
  ObjectRecord record;
  bool latest = true;
};

struct ListPage {
  std::vector<ListedKey> items;
  std::vector<std::string> prefixes;
  bool truncated = false;
  // The last key or common prefix of the page, and its version; where the next page starts after.
  std::string last, last_version;
};

// Current versions, delete markers left out.
ListPage list_keys(const ObjectIndex& index, const Snapshot& snapshot, const ListQuery& query);
// All versions, a key's newest first, and delete markers.
ListPage list_versions(const ObjectIndex& index, const Snapshot& snapshot, const ListQuery& query);

// The common prefix that a key falls into; empty: it stands for itself.
std::string common_prefix(std::string_view key, std::string_view prefix, std::string_view delimiter);

}  // namespace brume::s3
