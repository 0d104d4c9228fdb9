#include "planes/containers/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "planes/containers/program_error.h"
#include "planes/containers/reference.h"

namespace brume::containers {
namespace {

const std::string kA = "sha256:" + std::string(64, 'a');
const std::string kB = "sha256:" + std::string(64, 'b');
const std::string kC = "sha256:" + std::string(64, 'c');

template <class Function>
std::string error_of(Function function) {
  try {
    function();
    return "";
  } catch (const PlaneError& error) {
    return error.message;
  }
}

TEST(Manifest, ReadsDockerAndOci) {
  const std::string document = R"({"schemaVersion":2,"config":{"digest":")" + kA +
                               R"(","size":7,"mediaType":"c"},"layers":[{"digest":")" + kB +
                               R"(","size":3,"mediaType":"l"},{"digest":")" + kC + R"(","size":4}]})";
  EXPECT_FALSE(is_index(document));
  EXPECT_EQ(parse_manifest(document), (Manifest{{"c", kA, 7}, {{"l", kB, 3}, {"", kC, 4}}}));
}

TEST(Manifest, WritesWhatItReads) {
  const Manifest manifest{{"c", kA, 7}, {{"l", kB, 3}}};
  EXPECT_EQ(parse_manifest(make_manifest(manifest.config, manifest.layers)), manifest);
}

TEST(Manifest, RefusesWhatItCannotUseBySayingSo) {
  EXPECT_THAT(error_of([] { parse_manifest("{"); }), ::testing::HasSubstr("The manifest is not JSON"));
  EXPECT_EQ(error_of([] { parse_manifest(R"({"schemaVersion":1})"); }), "The manifest is not of schema version 2");
  EXPECT_EQ(error_of([] { parse_manifest(R"({"schemaVersion":2})"); }), "The manifest has no config");
  EXPECT_EQ(error_of([] { parse_manifest(R"({"schemaVersion":2,"config":{"digest":"sha256:../../x"},"layers":[]})"); }),
            "The manifest's config has no sha256 digest");
  EXPECT_FALSE(is_digest("sha256:" + std::string(64, 'A')));
  EXPECT_FALSE(is_digest("sha256:" + std::string(63, 'a')));
}

TEST(Manifest, HasAsManyLayersAsAnOverlayTakes) {
  const Descriptor part{"", "sha256:" + std::string(64, 'a'), 1};
  EXPECT_EQ(parse_manifest(make_manifest(part, std::vector(127, part))).layers.size(), 127U);
  EXPECT_THROW(parse_manifest(make_manifest(part, std::vector(128, part))), PlaneError);
}

TEST(Index, IsResolvedToThisMachinesPlatform) {
  const auto entry = [](const std::string& digest, const std::string& platform) {
    return R"({"digest":")" + digest + R"(","size":1)" + platform + "}";
  };
  const std::string arm = entry(kA, R"(,"platform":{"os":"linux","architecture":"arm64"})");
  const std::string amd = entry(kB, R"(,"platform":{"os":"linux","architecture":"amd64"})");
  const auto index = [](const std::string& entries) { return R"({"schemaVersion":2,"manifests":[)" + entries + "]}"; };
  EXPECT_TRUE(is_index(index(arm)));
  EXPECT_EQ(resolve_index(index(arm + "," + amd)), kB);
  EXPECT_EQ(resolve_index(index(entry(kC, ""))), kC);
  EXPECT_EQ(error_of([&] { resolve_index(index(arm)); }), "The index has no image for linux/amd64");
  const std::string named = entry(kC, R"(,"annotations":{"org.opencontainers.image.ref.name":"app:1"})");
  EXPECT_EQ(resolve_named(index(amd + "," + named), "app:1"), kC);
  EXPECT_EQ(resolve_named(index(amd + "," + named), "app:2"), kB);
}

TEST(ImageConfig, ReadsWhatContainersNeed) {
  const ImageConfig config = parse_config(
      R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":["/e"],"Cmd":["c"],"Env":["A=1"],)"
      R"("WorkingDir":"/w","User":"u:g","StopSignal":"SIGINT","Healthcheck":{"Test":["CMD-SHELL","true"]}}})");
  EXPECT_EQ(config.entry_point, std::vector<std::string>{"/e"});
  EXPECT_EQ(config.command, std::vector<std::string>{"c"});
  EXPECT_EQ(config.environment, std::vector<std::string>{"A=1"});
  EXPECT_EQ(config.directory, "/w");
  EXPECT_EQ(config.user, "u:g");
  EXPECT_EQ(config.stop_signal, "SIGINT");
  EXPECT_EQ(config.health_check, (std::vector<std::string>{"CMD-SHELL", "true"}));
  EXPECT_EQ(parse_config(R"({"config":{"Cmd":null}})").command, std::vector<std::string>());
}

TEST(Reference, FollowsDockersRulesForShortNames) {
  const auto full = [](const char* text) { return to_string(parse_reference(text)); };
  EXPECT_EQ(full("nginx"), "docker.io/library/nginx:latest");
  EXPECT_EQ(full("nginx:1.25"), "docker.io/library/nginx:1.25");
  EXPECT_EQ(full("grafana/grafana"), "docker.io/grafana/grafana:latest");
  EXPECT_EQ(full("docker.io/nginx"), "docker.io/library/nginx:latest");
  EXPECT_EQ(full("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(full("registry:5000/a/b:v_1.0"), "registry:5000/a/b:v_1.0");
  EXPECT_EQ(parse_reference("quay.io/a/b@" + kA), (Reference{"quay.io", "a/b", "", kA}));
  EXPECT_EQ(parse_reference("000000000000.dkr.ecr.eu-west-1.amazonaws.com/app:1").host,
            "000000000000.dkr.ecr.eu-west-1.amazonaws.com");
  for (const char* bad : {"", "Upper", "a b", "-option", "a:", "/a", "a/", "a@sha256:12", "a:b:c"}) {
    EXPECT_NE(error_of([&] { parse_reference(bad); }), "") << bad;
  }
}

TEST(ProgramError, IsTheMessageOfTheLoggedError) {
  EXPECT_EQ(program_error("time=\"2026\" level=warning msg=\"w\"\n"
                          "time=\"2026\" level=error msg=\"exec: \\\"/app\\\": no such file\"\n"),
            "exec: \"/app\": no such file");
  EXPECT_EQ(program_error(" plain text\n"), "plain text");
}

}  // namespace
}  // namespace brume::containers
