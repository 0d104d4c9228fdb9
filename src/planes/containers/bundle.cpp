#include "planes/containers/bundle.h"

#include <sys/stat.h>

#include <array>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "planes/containers/blobs.h"
#include "planes/containers/layers.h"
#include "planes/containers/manifest.h"
#include "planes/containers/runtime_config.h"

namespace brume::containers {
namespace {

namespace json = boost::json;

// The one path that is there in every container, whatever its image holds.
constexpr const char* kTrustFile = "/etc/ssl/certs/brume-ca-bundle.crt";
// Where distributions keep the bundle that their programs read without being told: Debian and Alpine, Fedora and
// Amazon Linux.
constexpr std::array kImageBundles = {"etc/ssl/certs/ca-certificates.crt",
                                      "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"};

// The image's own bundle with ours behind it, made once for an image and a state of our bundle.
std::optional<std::string> merged_bundle(const BundleInput& input, std::size_t index) {
  const auto own = read_from_layers(input.layers, kImageBundles[index]);
  if (!own) return std::nullopt;
  const auto changed = std::filesystem::last_write_time(input.ca_bundle_path).time_since_epoch().count();
  std::string path = input.trust_directory + "/" + digest_hex(input.image.digest) + "-" + std::to_string(index) + "-" +
                     std::to_string(changed) + ".crt";
  if (!std::filesystem::exists(path)) {
    std::filesystem::create_directories(input.trust_directory);
    // Two containers of one image may come here at once; both write the same.
    write_file(path, *own + "\n" + read_file(input.ca_bundle_path).value_or(""));
  }
  return path;
}

void add_trust(const BundleInput& input, RuntimeInput& runtime) {
  if (input.ca_bundle_path.empty()) return;
  runtime.trust_file = kTrustFile;
  runtime.read_only_files.emplace_back(input.ca_bundle_path, kTrustFile);
  for (std::size_t i = 0; i < kImageBundles.size(); ++i) {
    if (const auto merged = merged_bundle(input, i)) {
      runtime.read_only_files.emplace_back(*merged, std::string("/") + kImageBundles[i]);
    }
  }
}

// A container in the host's network namespace could reach whatever the host can.
void refuse_host_network(const std::string& network_namespace) {
  struct stat wanted{};
  struct stat own{};
  if (::stat(network_namespace.c_str(), &wanted) != 0) throw_errno("network namespace " + network_namespace);
  if (::stat("/proc/self/ns/net", &own) == 0 && own.st_ino == wanted.st_ino && own.st_dev == wanted.st_dev) {
    throw PlaneError(PlaneError::Kind::permanent, "the container's network namespace is the host's");
  }
}

// Of config.json; empty when there is none.
std::string annotation(const std::string& directory, std::string_view name) {
  const auto text = read_file(directory + "/config.json");
  boost::system::error_code error;
  const json::value config = json::parse(text.value_or("{}"), error);
  if (error || !config.is_object()) return {};
  const json::value* annotations = config.get_object().if_contains("annotations");
  if (annotations == nullptr || !annotations->is_object()) return {};
  const json::value* found = annotations->get_object().if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

std::string root_of_bundle(const std::string& directory) { return directory + "/root"; }

Bundle make_bundle(const BundleInput& input) {
  refuse_host_network(input.network_namespace);
  std::filesystem::remove_all(input.directory);
  for (const char* part : {"/root", "/upper", "/work", "/none"}) {
    std::filesystem::create_directories(input.directory + part);
    ::chmod((input.directory + part).c_str(), 0755);
  }
  RuntimeInput runtime;
  runtime.spec = input.spec;
  runtime.image = input.image.config;
  const std::string& user = input.spec.user.empty() ? input.image.config.user : input.spec.user;
  runtime.user = resolve_user(user, read_from_layers(input.layers, "etc/passwd").value_or(""),
                              read_from_layers(input.layers, "etc/group").value_or(""));
  runtime.hostname = input.hostname;
  runtime.root = root_of_bundle(input.directory);
  // As runc sees it: the path may be a mount in the daemon's mount namespace, which the keeper's is not.
  runtime.network_namespace = "/proc/" + std::to_string(::getpid()) + "/root" + input.network_namespace;
  runtime.cgroup = input.cgroup;
  runtime.limit_swap = input.limit_swap;
  const auto file = [&](const char* name, const std::string& text) {
    const std::string path = input.directory + "/" + name;
    write_file(path, text);
    ::chmod(path.c_str(), 0644);
    runtime.files.emplace_back(path, std::string("/etc/") + name);
  };
  file("hosts", render_hosts(input.spec));
  file("hostname", input.hostname + "\n");
  file("resolv.conf", render_resolv_conf(input.spec));
  add_trust(input, runtime);
  if (input.spec.follows_clock) runtime.read_only_files.emplace_back(input.clock_page, kClockInside);
  write_file(input.directory + "/config.json", render_runtime_config(runtime));

  Bundle bundle;
  // An image without layers has an empty root.
  bundle.overlay.layers = input.layers.empty() ? std::vector{input.directory + "/none"} : input.layers;
  bundle.overlay.upper = input.directory + "/upper";
  bundle.overlay.work = input.directory + "/work";
  bundle.overlay.target = runtime.root;
  bundle.pid_file = input.directory + "/pid";
  bundle.stop_signal = signal_number(input.image.config.stop_signal);
  return bundle;
}

int stop_signal_of_bundle(const std::string& directory) {
  std::int64_t number = SIGTERM;
  parse_int(annotation(directory, "brume.stop-signal"), number);
  return static_cast<int>(number);
}

bool follows_clock_of_bundle(const std::string& directory) { return annotation(directory, "brume.clock") == "cloud"; }

}  // namespace brume::containers
