// `brume keys`, for tests: how many keys the store of a cloud that is down has, by what they are of.
#include <cstdio>
#include <map>

#include "app/commands/commands.h"
#include "app/instance.h"
#include "store/store.h"

namespace brume::app {

int run_keys(const std::string& state) {
  const auto store = open_store(find_instance(state).store(), Durability::process_death);
  std::map<std::string, int> counts;
  // "k/s3.object/…", "t/ec2.vpc/…": the kind and the name; notes of the store's own have a kind only.
  store->scan("", "", [&](std::string_view key, std::string_view) {
    const std::size_t name = key.find('/') + 1;
    const bool named = key.starts_with("k/") || key.starts_with("t/");
    ++counts[std::string(key.substr(0, named ? key.find('/', name) : name))];
    return true;
  });
  for (const auto& [name, count] : counts) std::printf("%s %d\n", name.c_str(), count);
  return 0;
}

}  // namespace brume::app
