#include "planes/containers/runtime_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "core/error.h"
#include "planes/containers/blobs.h"
#include "planes/containers/seccomp_profile.h"

namespace brume::containers {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// One value a line, so that a difference shows where it is.
void print(std::string& out, const json::value& value, const std::string& indent) {
  const auto list = [&](const auto& items, char open, char close, const auto& item) {
    out += open;
    const char* separator = "\n";
    for (const auto& entry : items) {
      out.append(separator).append(indent).append("  ");
      item(entry);
      separator = ",\n";
    }
    if (!items.empty()) out.append("\n").append(indent);
    out += close;
  };
  if (const json::object* object = value.if_object()) {
    list(*object, '{', '}', [&](const auto& member) {
      out.append(json::serialize(json::value(member.key()))).append(": ");
      print(out, member.value(), indent + "  ");
    });
  } else if (const json::array* array = value.if_array()) {
    list(*array, '[', ']', [&](const json::value& item) { print(out, item, indent + "  "); });
  } else {
    out += json::serialize(value);
  }
}

// The golden text in testdata; BRUME_UPDATE_GOLDEN=1 writes it anew.
void expect_golden(const std::string& name, const json::value& value) {
  std::string text;
  print(text, value, "");
  text += "\n";
  const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::string path = ((build / __FILE__).parent_path() / "testdata" / name).string();
  if (std::getenv("BRUME_UPDATE_GOLDEN") != nullptr) write_file(path, text);
  EXPECT_EQ(read_file(path).value_or(""), text) << "BRUME_UPDATE_GOLDEN=1 writes " << name << " anew";
}

RuntimeInput plain() {
  RuntimeInput input;
  input.spec.id = "t1/app";
  input.image.entry_point = {"/app"};
  input.hostname = "ip-10-0-0-5";
  input.root = "/state/t1/app/root";
  input.network_namespace = "/run/brume/0a1b2c/ns/t1";
  input.cgroup = "/brume/0a1b2c/t1/app";
  return input;
}

json::value rendered(const RuntimeInput& input) {
  json::value config = json::parse(render_runtime_config(input));
  config.at("linux").as_object().erase("seccomp");  // has its own test
  return config;
}

template <class Function>
std::string error_of(Function function) {
  try {
    function();
    return "";
  } catch (const PlaneError& error) {
    return error.message;
  }
}

TEST(RuntimeConfig, OfAPlainContainer) { expect_golden("plain.json", rendered(plain())); }

TEST(RuntimeConfig, OfAContainerWithEverything) {
  RuntimeInput input = plain();
  input.image.command = {"serve"};
  input.image.environment = {"PATH=/opt/bin:/bin", "MODE=image", "SSL_CERT_FILE=/image/bundle"};
  input.image.directory = "/srv";
  input.image.stop_signal = "SIGQUIT";
  input.user = {1000, 1001, {44, 45}, "/home/app"};
  input.files = {{"/state/t1/app/hosts", "/etc/hosts"}};
  input.read_only_files = {{"/state/ca.pem", "/etc/ssl/certs/brume-ca-bundle.crt"}};
  input.trust_file = "/etc/ssl/certs/brume-ca-bundle.crt";
  input.spec.environment = {{"MODE", "task"}, {"CURL_CA_BUNDLE", "/own"}};
  input.spec.memory_bytes = 64 << 20;
  input.spec.cpu_shares = 256;
  input.spec.read_only_root = true;
  input.spec.mounts = {
      {.source = "/v/inner", .destination = "/data/inner", .read_only = true},
      {.source = "/v/data", .destination = "/data"},
      {.kind = Mount::Kind::tmpfs, .destination = "/scratch", .size_bytes = 1024, .options = {"exec"}}};
  input.spec.ulimits = {{"nofile", 1024, 4096}, {"core", -1, -1}};
  input.spec.sysctls = {{"net.ipv4.tcp_keepalive_time", "60"}};
  input.spec.add_capabilities = {"SYS_PTRACE"};
  input.spec.drop_capabilities = {"MKNOD", "CAP_NET_RAW"};
  expect_golden("everything.json", rendered(input));
}

TEST(RuntimeConfig, DoesNotLimitSwapWhereTheKernelDoesNotCountIt) {
  RuntimeInput input = plain();
  input.spec.memory_bytes = 1 << 20;
  input.limit_swap = false;
  EXPECT_EQ(json::serialize(rendered(input).at("linux").at("resources").at("memory")), R"({"limit":1048576})");
}

TEST(RuntimeConfig, RefusesByNameWhatIsNotServed) {
  const auto refusal = [](auto change) {
    RuntimeInput input = plain();
    change(input);
    return error_of([&] { render_runtime_config(input); });
  };
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.privileged = true; }), "privileged containers are not served");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.init_process = true; }),
            "an init process inside the container (initProcessEnabled) is not served");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.network_namespace = ""; }), "the container has no network namespace");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.ulimits = {{"files", 1, 1}}; }), "unknown ulimit files");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.add_capabilities = {"FLY"}; }), "unknown capability CAP_FLY");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.mounts = {{.source = "/a", .destination = "b"}}; }),
            "the mount path b is not absolute");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.add_capabilities = {"SYS_ADMIN"}; }),
            "adding the capability CAP_SYS_ADMIN is not served");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.sysctls = {{"kernel.core_pattern", "|/x"}}; }),
            "the kernel parameter kernel.core_pattern is not one of the task's own");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.spec.sysctls = {{"net./../kernel.core_pattern", "|/x"}}; }),
            "the kernel parameter net./../kernel.core_pattern is not one of the task's own");
  for (const char* option : {"bind", "rbind", "remount", "shared", "mode=755,bind"})
    EXPECT_EQ(refusal([&](RuntimeInput& i) {
                i.spec.mounts = {{.kind = Mount::Kind::tmpfs, .destination = "/t", .options = {option}}};
              }),
              std::string("the tmpfs mount option ") + option + " is not served");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.image.entry_point.clear(); }), "No command specified");
  EXPECT_EQ(refusal([](RuntimeInput& i) { i.image.stop_signal = "SIGNOTHING"; }), "unknown stop signal NOTHING");
}

TEST(Arguments, FollowDockersRules) {
  ImageConfig image;
  image.entry_point = {"entry"};
  image.command = {"command"};
  ContainerSpec spec;
  EXPECT_THAT(arguments_of(spec, image), ElementsAre("entry", "command"));
  spec.command = {"mine"};
  EXPECT_THAT(arguments_of(spec, image), ElementsAre("entry", "mine"));
  spec.entry_point = {"other"};
  EXPECT_THAT(arguments_of(spec, image), ElementsAre("other", "mine"));
  spec.command.clear();
  EXPECT_THAT(arguments_of(spec, image), ElementsAre("other"));
}

TEST(Capabilities, DropBeforeAdd) {
  ContainerSpec spec;
  spec.drop_capabilities = {"ALL"};
  spec.add_capabilities = {"net_bind_service"};
  EXPECT_THAT(capabilities_of(spec), ElementsAre("CAP_NET_BIND_SERVICE"));
}

TEST(StopSignal, IsReadInAllItsForms) {
  EXPECT_EQ(signal_number(""), SIGTERM);
  EXPECT_EQ(signal_number("SIGQUIT"), SIGQUIT);
  EXPECT_EQ(signal_number("WINCH"), SIGWINCH);
  EXPECT_EQ(signal_number("9"), SIGKILL);
  EXPECT_EQ(signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
}

std::vector<std::string> allowed_calls(const json::value& profile) {
  std::vector<std::string> calls;
  for (const json::value& rule : profile.at("syscalls").as_array()) {
    if (rule.at("action") != "SCMP_ACT_ALLOW" || rule.as_object().contains("args")) continue;
    for (const json::value& name : rule.at("names").as_array()) calls.emplace_back(name.as_string());
  }
  return calls;
}

TEST(Seccomp, AllowsByCapability) {
  const auto plain_calls = allowed_calls(seccomp_profile({"CAP_CHOWN", "CAP_SYS_CHROOT"}));
  EXPECT_THAT(plain_calls, Contains("read"));
  EXPECT_THAT(plain_calls, Contains("chroot"));
  for (const char* call : {"mount", "unshare", "setns", "reboot", "init_module", "bpf", "clone", "clone3", "keyctl",
                           "kexec_load", "userfaultfd", "io_uring_setup"}) {
    EXPECT_THAT(plain_calls, Not(Contains(call)));
  }
  const auto admin_calls = allowed_calls(seccomp_profile({"CAP_SYS_ADMIN"}));
  EXPECT_THAT(admin_calls, Contains("mount"));
  EXPECT_THAT(admin_calls, Contains("clone3"));
  EXPECT_THAT(admin_calls, Not(Contains("chroot")));
}

}  // namespace
}  // namespace brume::containers
