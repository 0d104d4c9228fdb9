#include "aws/queue_url.h"

namespace brume {

QueueAddress parse_queue_url(std::string_view url) {
  QueueAddress address;
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
    const std::string_view host = url.substr(0, url.find('/'));
    address.host = host.substr(0, host.find(':'));
    url.remove_prefix(host.size());
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t slash = url.rfind('/');
  address.name = url.substr(slash == std::string_view::npos ? 0 : slash + 1);
  if (slash == std::string_view::npos) return address;
  url = url.substr(0, slash);
  const std::size_t before = url.rfind('/');
  address.account = url.substr(before == std::string_view::npos ? 0 : before + 1);
  return address;
}

}  // namespace brume
