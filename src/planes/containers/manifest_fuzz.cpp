// Fuzz target: image documents and names. Parsing ends with a value or a PlaneError; what was read is complete, and
// what we write of it is read as the same.
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "planes/containers/manifest.h"
#include "planes/containers/reference.h"

namespace brume::containers {
namespace {

template <class Parse>
auto attempt(const Parse& parse) -> std::optional<decltype(parse())> {
  try {
    return parse();
  } catch (const PlaneError& error) {
    BRUME_CHECK(error.kind == PlaneError::Kind::permanent && !error.message.empty());
    return std::nullopt;
  }
}

void check_manifest(std::string_view text) {
  const auto manifest = attempt([&] { return parse_manifest(text); });
  if (!manifest) return;
  BRUME_CHECK(is_digest(manifest->config.digest) && digest_hex(manifest->config.digest).size() == 64);
  for (const Descriptor& layer : manifest->layers) BRUME_CHECK(is_digest(layer.digest));
  const Manifest again = parse_manifest(make_manifest(manifest->config, manifest->layers));
  BRUME_CHECK(again.config.digest == manifest->config.digest && again.config.size == manifest->config.size);
  BRUME_CHECK(again.layers.size() == manifest->layers.size());
  for (std::size_t i = 0; i < again.layers.size(); ++i)
    BRUME_CHECK(again.layers[i].digest == manifest->layers[i].digest &&
                again.layers[i].size == manifest->layers[i].size);
}

}  // namespace
}  // namespace brume::containers

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::containers;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto index = attempt([&] { return is_index(text); });
  const auto chosen = attempt([&] { return resolve_index(text); });
  if (chosen) BRUME_CHECK(is_digest(*chosen) && index);
  const auto named = attempt([&] { return resolve_named(text, "app:1"); });
  if (named) BRUME_CHECK(is_digest(*named));
  check_manifest(text);
  attempt([&] { return parse_config(text); });
  attempt([&] { return parse_docker_archive(text); });
  if (const auto reference = attempt([&] { return parse_reference(text); })) {
    BRUME_CHECK(!reference->host.empty() && !reference->repository.empty());
    BRUME_CHECK(!reference->tag.empty() || !reference->digest.empty());
    const auto again = attempt([&] { return parse_reference(to_string(*reference)); });
    BRUME_CHECK(again && *again == *reference);
  }
  return 0;
}
