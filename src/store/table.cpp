#include "store/table.h"

namespace brume::table_detail {

std::string key_prefix(std::string_view type) {
  BRUME_CHECK(type.find('/') == std::string_view::npos);
  return "t/" + std::string(type) + "/";
}

ParsedKey parse_key(std::string_view key, std::string_view prefix) {
  key.remove_prefix(prefix.size());
  const std::size_t account_end = key.find('/');
  const std::size_t region_end = account_end == std::string_view::npos ? account_end : key.find('/', account_end + 1);
  if (region_end == std::string_view::npos) throw_damaged_record("its key has no scope");
  return {
      {std::string(key.substr(0, account_end)), std::string(key.substr(account_end + 1, region_end - account_end - 1))},
      key.substr(region_end + 1)};
}

std::string value_prefix(int version) {
  CborWriter writer;
  writer.integer(version);
  return writer.take();
}

std::pair<int, std::string_view> parse_value(std::string_view value, TableType type) {
  const std::int64_t version = CborReader(value).integer();
  if (version > type.version) {
    throw StoreError("The state holds records of " + std::string(type.name) + " in format " + std::to_string(version) +
                     ", this program reads formats up to " + std::to_string(type.version) +
                     ". Use the newer program that wrote this state, or another state directory.");
  }
  if (version < 1) throw_damaged_record("an impossible format version");
  value.remove_prefix(value_prefix(static_cast<int>(version)).size());
  return {static_cast<int>(version), value};
}

}  // namespace brume::table_detail
