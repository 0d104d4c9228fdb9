#include "planes/containers/reference.h"

#include <boost/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "planes/containers/blobs.h"
#include "planes/containers/manifest.h"

namespace brume::containers {
namespace {

namespace json = boost::json;

constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-/";
constexpr std::string_view kTagLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool consists_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

bool is_host(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:") != std::string_view::npos;
}

}  // namespace

Reference parse_reference(std::string_view text) {
  const auto refuse = [&] {
    throw PlaneError(PlaneError::Kind::permanent, "\"" + std::string(text) + "\" is not the name of an image");
  };
  Reference reference;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_digest(reference.digest)) refuse();
  }
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos && is_host(rest.substr(0, slash))) {
    reference.host = rest.substr(0, slash);
    rest = rest.substr(slash + 1);
  }
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!consists_of(reference.tag, kTagLetters) || reference.tag.size() > 128) refuse();
  }
  if (!consists_of(rest, kNameLetters) || rest.front() == '/' || rest.front() == '-' || rest.back() == '/') {
    refuse();
  }
  reference.repository = rest;
  if (reference.host.empty() || reference.host == "index.docker.io") reference.host = "docker.io";
  if (reference.host == "docker.io" && rest.find('/') == std::string_view::npos) {
    reference.repository = "library/" + reference.repository;
  }
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

std::string to_string(const Reference& reference) {
  std::string text = reference.host + "/" + reference.repository;
  if (!reference.tag.empty()) text += ":" + reference.tag;
  if (!reference.digest.empty()) text += "@" + reference.digest;
  return text;
}

References::References(std::string file) : file_(std::move(file)) {
  const auto text = read_file(file_);
  if (!text) return;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  const json::object* table = error || !value.is_object()                    ? nullptr
                              : value.get_object().if_contains("references") ? value.at("references").if_object()
                                                                             : nullptr;
  if (table == nullptr) {
    log::warning("images", file_ + " cannot be read; names of images must be pulled or loaded again");
    return;
  }
  for (const auto& [name, entry] : *table) {
    const json::object* fields = entry.if_object();
    const json::value* digest = fields == nullptr ? nullptr : fields->if_contains("digest");
    const json::value* loaded = fields == nullptr ? nullptr : fields->if_contains("loaded");
    if (digest == nullptr || !digest->is_string()) continue;
    images_[std::string(name)] = {std::string(digest->get_string()),
                                  loaded != nullptr && loaded->is_bool() && loaded->get_bool()};
  }
}

const KnownImage* References::find(const std::string& reference) const {
  const auto found = images_.find(reference);
  return found == images_.end() ? nullptr : &found->second;
}

void References::put(const std::string& reference, KnownImage image) {
  if (const KnownImage* known = find(reference); known != nullptr && *known == image) return;
  images_[reference] = std::move(image);
  json::object table;
  for (const auto& [name, entry] : images_) {
    table[name] = json::object{{"digest", entry.digest}, {"loaded", entry.loaded}};
  }
  write_file(file_, json::serialize(json::object{{"version", 1}, {"references", std::move(table)}}));
}

}  // namespace brume::containers
