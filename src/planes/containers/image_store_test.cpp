#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "core/worker_pool.h"
#include "planes/containers/images.h"
#include "planes/containers/test_image.h"
#include "planes/keeper/fake_keeper.h"
#include "planes/keeper/test_loop.h"

namespace brume::containers {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::make_image;
using testing::put_image;
using testing::sha256_digest;
using testing::tar_file;
using testing::TestImage;

class ImageStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "layers keep their owners, which needs root";
    open();
  }
  void open(const std::string& network_namespace = "/run/internet") {
    images_.reset();
    images_ = make_images({directory_.path() + "/images", network_namespace, directory_.path() + "/resolv.conf",
                           [](std::string_view host) { return host.ends_with("amazonaws.com"); }},
                          keeper_, workers_, loop_);
  }
  struct Prepared {
    std::optional<Image> image;
    std::string error;
  };
  Prepared prepare(const std::string& digest) {
    return loop_.await<Prepared>([&](auto done) {
      images_->prepare(digest, [done](std::optional<Image> image, std::string error) { done({image, error}); });
    });
  }
  struct Got {
    std::string digest, error;
  };
  Got pull(const std::string& reference) {
    return loop_.await<Got>([&](auto done) {
      images_->pull(reference, [done](std::string digest, std::string error) { done({digest, error}); });
    });
  }
  Got load(const std::string& file, const std::string& reference) {
    return loop_.await<Got>([&](auto done) {
      images_->load_archive(file, reference, [done](std::string digest, std::string error) { done({digest, error}); });
    });
  }
  TestImage image(const std::string& content = "hello") {
    return make_image(directory_.path(), {{tar_file("base", "b")}, {tar_file("file", content)}},
                      {{"Cmd", {"/run"}}, {"Env", {"A=1"}}});
  }
  // A registry that holds the image: what skopeo does.
  void serve(const TestImage& image) {
    keeper_.on_run = [image](const RunSpec& spec) {
      if (std::ranges::find(spec.arguments, "inspect") != spec.arguments.end()) {
        return RunResult{.code = 0, .out = image.manifest};
      }
      const std::string directory = spec.arguments.back().substr(4);
      std::filesystem::create_directories(directory);
      std::ofstream(directory + "/manifest.json") << image.manifest;
      std::ofstream(directory + "/" + sha256_digest(image.config).substr(7)) << image.config;
      for (const std::string& file : image.layer_files) {
        std::filesystem::copy_file(file, directory + "/" + digest_of_file(file).substr(7));
      }
      return RunResult{.code = 0};
    };
  }

  TemporaryDirectory directory_;
  testing::TestLoop loop_;
  FakeKeeper keeper_{loop_};
  WorkerPool workers_{loop_, 2};
  std::unique_ptr<Images> images_;
};

TEST_F(ImageStore, KeepsBlobsByDigestAndRefusesOthers) {
  const std::string digest = images_->put_text("text");
  EXPECT_EQ(digest, sha256_digest("text"));
  EXPECT_EQ(images_->read(digest), "text");
  EXPECT_EQ(images_->size(digest), 4U);
  EXPECT_FALSE(images_->put(sha256_digest("other"), Body::of("text")));
  EXPECT_TRUE(images_->put(sha256_digest("other"), Body::of("other")));
  Body spooled;
  std::ofstream(directory_.path() + "/spool") << "spooled";
  spooled.spool = std::make_shared<SpoolFile>(directory_.path() + "/spool");
  spooled.sha256 = sha256("spooled");
  EXPECT_FALSE(images_->put(digest, spooled));
  EXPECT_TRUE(images_->put(sha256_digest("spooled"), spooled));
  EXPECT_EQ(images_->read(sha256_digest("spooled")), "spooled");
  images_->remove(digest);
  EXPECT_FALSE(images_->has(digest));
  EXPECT_FALSE(images_->has("sha256:../../etc/passwd"));
}

TEST_F(ImageStore, PreparesAnImageOfTwoLayers) {
  const std::string digest = put_image(*images_, image());
  const Prepared prepared = prepare(digest);
  ASSERT_EQ(prepared.error, "");
  EXPECT_EQ(prepared.image->digest, digest);
  EXPECT_EQ(prepared.image->config.command, std::vector<std::string>{"/run"});
  ASSERT_EQ(prepared.image->layers.size(), 2U);
  EXPECT_EQ(read_file(images_->layer_path(prepared.image->layers[1]) + "/file"), "hello");
  open();  // after a restart nothing is unpacked again
  EXPECT_EQ(prepare(digest).error, "");
}

TEST_F(ImageStore, ResolvesAnIndex) {
  const std::string digest = put_image(*images_, image());
  const std::string index = images_->put_text(R"({"schemaVersion":2,"manifests":[{"digest":")" + digest +
                                              R"(","platform":{"os":"linux","architecture":"amd64"}}]})");
  EXPECT_EQ(prepare(index).image.value_or(Image{}).digest, digest);
}

TEST_F(ImageStore, SaysWhatIsMissingOrWrong) {
  const TestImage whole = image();
  const std::string digest = put_image(*images_, whole);
  EXPECT_EQ(prepare(sha256_digest("none")).error, "The store has no manifest " + sha256_digest("none"));
  const std::string layer = digest_of_file(whole.layer_files[1]);
  std::ofstream(images_->path(layer)) << "damaged";
  EXPECT_THAT(prepare(digest).error, HasSubstr("layer " + layer));
  images_->remove(layer);
  EXPECT_EQ(prepare(digest).error, "The store has no layer " + layer);
  const std::string arm = put_image(*images_, make_image(directory_.path(), {}, {}, "arm64"));
  EXPECT_EQ(prepare(arm).error, "The image is for linux/arm64, this machine runs linux/amd64");
}

TEST_F(ImageStore, NamesTheMemberAtFault) {
  const std::string digest = put_image(*images_, make_image(directory_.path(), {{tar_file("../evil", "x")}}, {}));
  EXPECT_THAT(prepare(digest).error, HasSubstr("../evil"));
}

TEST_F(ImageStore, PullsThroughSkopeoInTheInternetNamespace) {
  const TestImage remote = image();
  serve(remote);
  const Got got = pull("nginx");
  ASSERT_EQ(got.error, "");
  EXPECT_EQ(got.digest, sha256_digest(remote.manifest));
  EXPECT_EQ(prepare(got.digest).error, "");
  const RunSpec& run = keeper_.runs.at(0);
  EXPECT_EQ(run.network_namespace, "/run/internet");
  EXPECT_THAT(run.arguments, Contains("docker://docker.io/library/nginx:latest"));
  EXPECT_EQ(run.binds, (std::vector<Bind>{{directory_.path() + "/resolv.conf", "/etc/resolv.conf", true}}));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/images/pulls"));
}

TEST_F(ImageStore, AsksAgainButFetchesOnlyWhatIsNew) {
  const TestImage first = image("one");
  serve(first);
  pull("nginx");
  EXPECT_EQ(pull("nginx").digest, sha256_digest(first.manifest));
  ASSERT_EQ(keeper_.runs.size(), 2U);
  EXPECT_THAT(keeper_.runs[1].arguments, Contains("inspect"));
  const TestImage second = image("two");
  serve(second);
  EXPECT_EQ(pull("nginx").digest, sha256_digest(second.manifest));
}

TEST_F(ImageStore, APullsErrorIsSkopeosOwn) {
  keeper_.on_run = [](const RunSpec&) {
    return RunResult{.code = 1,
                     .err =
                         "time=\"t\" level=fatal msg=\"reading manifest 9 in docker.io/library/nginx: "
                         "manifest unknown\"\n"};
  };
  EXPECT_EQ(pull("nginx:9").error, "reading manifest 9 in docker.io/library/nginx: manifest unknown");
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() + "/images/pulls"));
}

TEST_F(ImageStore, NeverAsksANameOfAwsAndNothingWhenOffline) {
  EXPECT_THAT(pull("000000000000.dkr.ecr.eu-west-1.amazonaws.com/a").error, HasSubstr("a name of AWS"));
  EXPECT_NE(pull("not a name").error, "");
  open("");
  EXPECT_THAT(pull("nginx").error, HasSubstr("docker.io/library/nginx:latest was not loaded"));
  EXPECT_TRUE(keeper_.runs.empty());
}

TEST_F(ImageStore, FindsAPulledImageOffline) {
  const TestImage remote = image();
  serve(remote);
  pull("nginx");
  keeper_.on_run = [](const RunSpec&) { return RunResult{.code = 1, .err = "no route"}; };
  EXPECT_EQ(pull("nginx").digest, sha256_digest(remote.manifest));
  open("");
  EXPECT_EQ(pull("docker.io/library/nginx:latest").digest, sha256_digest(remote.manifest));
}

TEST_F(ImageStore, LoadsADockerArchive) {
  const TestImage source = image();
  const std::string layer = read_file(source.layer_files[0]).value_or("");
  const std::string archive = directory_.path() + "/docker.tar";
  const std::string entries = R"([{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar"]}])";
  testing::write_tar(archive, {tar_file("a/layer.tar", layer), testing::tar_link("b/layer.tar", "../a/layer.tar"),
                               tar_file("c.json", source.config), tar_file("manifest.json", entries)});
  const Got got = load(archive, "app:1");
  ASSERT_EQ(got.error, "");
  EXPECT_EQ(prepare(got.digest).image.value_or(Image{}).layers.size(), 2U);
  open("");
  EXPECT_EQ(pull("app:1").digest, got.digest);
  EXPECT_TRUE(keeper_.runs.empty());
}

TEST_F(ImageStore, LoadsAnOciArchiveAndRefusesOneThatWasChanged) {
  const TestImage source = image();
  std::vector<testing::TarMember> members;
  const auto add = [&](const std::string& text) {
    members.push_back(tar_file("blobs/sha256/" + sha256_digest(text).substr(7), text));
  };
  add(source.manifest);
  add(source.config);
  for (const std::string& file : source.layer_files) add(read_file(file).value_or(""));
  members.push_back(tar_file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
  members.push_back(tar_file(
      "index.json", R"({"schemaVersion":2,"manifests":[{"digest":")" + sha256_digest(source.manifest) + R"("}]})"));
  const std::string archive = directory_.path() + "/oci.tar";
  testing::write_tar(archive, members);
  EXPECT_EQ(load(archive, "app:2").digest, sha256_digest(source.manifest));
  members[1].content += " ";
  testing::write_tar(archive, members);
  EXPECT_THAT(load(archive, "app:3").error, HasSubstr("does not match its digest"));
  members.erase(members.begin() + 1);
  testing::write_tar(archive, members);
  images_->remove(sha256_digest(source.config));
  EXPECT_EQ(load(archive, "app:3").error, "The archive lacks parts of its image");
  testing::write_tar(archive, {tar_file("other", "")});
  EXPECT_THAT(load(archive, "app:3").error, HasSubstr("neither a docker archive nor an OCI archive"));
}

// What the tools themselves write.
TEST_F(ImageStore, TakesInWhatSkopeoWrites) {
  if (std::system("skopeo --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "skopeo is not installed";
  const TestImage source = image();
  const std::string layout = directory_.path() + "/layout";
  std::filesystem::create_directories(layout + "/blobs/sha256");
  const auto add = [&](const std::string& text) {
    std::ofstream(layout + "/blobs/sha256/" + sha256_digest(text).substr(7)) << text;
  };
  add(source.manifest);
  add(source.config);
  for (const std::string& file : source.layer_files) add(read_file(file).value_or(""));
  std::ofstream(layout + "/oci-layout") << R"({"imageLayoutVersion":"1.0.0"})";
  std::ofstream(layout + "/index.json") << R"({"schemaVersion":2,"manifests":[{"mediaType":)"
                                        << R"("application/vnd.oci.image.manifest.v1+json","size":)"
                                        << source.manifest.size() << R"(,"digest":")" << sha256_digest(source.manifest)
                                        << R"("}]})";
  const auto copy = [&](const std::string& destination) {
    const std::string command = "skopeo --insecure-policy copy -q oci:" + layout + " " + destination + " 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  };
  copy("docker-archive:" + directory_.path() + "/d.tar:app:1");
  copy("oci-archive:" + directory_.path() + "/o.tar:app:1");
  for (const char* archive : {"/d.tar", "/o.tar"}) {
    const Got got = load(directory_.path() + archive, "app:1");
    ASSERT_EQ(got.error, "") << archive;
    const Prepared prepared = prepare(got.digest);
    ASSERT_EQ(prepared.error, "") << archive;
    EXPECT_EQ(read_file(images_->layer_path(prepared.image->layers[1]) + "/file"), "hello");
    EXPECT_EQ(prepared.image->config.environment, std::vector<std::string>{"A=1"});
  }
  keeper_.on_run = [&](const RunSpec& spec) {
    copy(spec.arguments.back());
    return RunResult{.code = 0};
  };
  EXPECT_EQ(pull("quay.io/a/b:1").digest, sha256_digest(source.manifest));
}

TEST_F(ImageStore, PreparesOnceForManyWhoWait) {
  const std::string digest = put_image(*images_, image());
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    images_->prepare(digest,
                     [&](const std::optional<Image>& prepared, const std::string&) { answers += prepared ? 1 : 0; });
  }
  EXPECT_TRUE(loop_.run_until([&] { return answers == 5; }));
}

}  // namespace
}  // namespace brume::containers
