#include "planes/containers/unpack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/testing.h"
#include "planes/containers/blobs.h"
#include "planes/containers/layers.h"
#include "planes/containers/test_tar.h"

namespace brume::containers {
namespace {

using ::testing::HasSubstr;
using testing::tar_directory;
using testing::tar_file;
using testing::tar_hard_link;
using testing::tar_link;
using testing::TarFilter;
using testing::TarMember;

class UnpackLayer : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "owners and overlay attributes need root";
    std::filesystem::create_directory(root_);
  }
  void unpack(const std::vector<TarMember>& members, TarFilter filter = TarFilter::none,
              const UnpackLimits& limits = {}) {
    testing::write_tar(tar_, members, filter);
    EXPECT_EQ(unpack_layer(tar_, root_, limits), digest_of_file(tar_));
  }
  // Why the layer is refused; "" when it is not.
  std::string refusal(const std::vector<TarMember>& members, const UnpackLimits& limits = {}) {
    testing::write_tar(tar_, members, TarFilter::gzip);
    try {
      unpack_layer(tar_, root_, limits);
      return "";
    } catch (const PlaneError& error) {
      EXPECT_EQ(error.kind, PlaneError::Kind::permanent);
      return error.message;
    }
  }
  std::string at(const std::string& path) const { return root_ + "/" + path; }
  std::string content(const std::string& path) const { return read_file(at(path)).value_or("(none)"); }
  struct stat status(const std::string& path) const {
    struct stat info{};
    EXPECT_EQ(::lstat(at(path).c_str(), &info), 0) << path;
    return info;
  }

  TemporaryDirectory directory_;
  std::string root_ = directory_.path() + "/root";
  std::string tar_ = directory_.path() + "/layer.tar";
};

TEST_F(UnpackLayer, KeepsContentModeOwnerTimesAndNames) {
  TarMember program = tar_file("usr/bin/tool", "#!", 04755);
  program.uid = 1000;
  program.gid = 2000;
  program.attributes = {{"user.note", "n"}, {"trusted.overlay.redirect", "/etc"}};
  for (const TarFilter filter : {TarFilter::none, TarFilter::gzip, TarFilter::zstd}) {
    unpack({tar_directory("./"), tar_directory("tmp/", 01777), tar_directory("usr/"), tar_directory("usr/bin/"),
            program, tar_link("bin", "usr/bin"), tar_hard_link("usr/bin/same", "usr/bin/tool"),
            tar_file("caf\xc3\xa9/\xff\xfe", "bytes")},
           filter);
    EXPECT_EQ(content("bin/tool"), "#!");
    EXPECT_EQ(status("usr/bin/tool").st_mode, S_IFREG | 04755U);
    EXPECT_EQ(status("usr/bin/tool").st_uid, 1000U);
    EXPECT_EQ(status("usr/bin/tool").st_gid, 2000U);
    EXPECT_EQ(status("usr/bin/tool").st_mtime, 1'700'000'000);
    EXPECT_EQ(status("usr/bin").st_mtime, 1'700'000'000);
    EXPECT_EQ(status("usr/bin/same").st_ino, status("usr/bin/tool").st_ino);
    EXPECT_EQ(status("tmp").st_mode, S_IFDIR | 01777U);
    EXPECT_EQ(std::filesystem::read_symlink(at("bin")), "usr/bin");
    EXPECT_EQ(content("caf\xc3\xa9/\xff\xfe"), "bytes");
    EXPECT_EQ(::lgetxattr(at("usr/bin/tool").c_str(), "trusted.overlay.redirect", nullptr, 0), -1);
  }
}

TEST_F(UnpackLayer, MakesOverlaysWhiteouts) {
  unpack({tar_directory("etc"), tar_file("etc/.wh.gone", ""), tar_directory("opt"), tar_file("opt/.wh..wh..opq", ""),
          tar_file("opt/new", "n"), tar_file(".wh..wh.plnk", "")});
  const struct stat gone = status("etc/gone");
  EXPECT_TRUE(S_ISCHR(gone.st_mode));
  EXPECT_EQ(gone.st_rdev, makedev(0, 0));
  char value = 0;
  EXPECT_EQ(::lgetxattr(at("opt").c_str(), "trusted.overlay.opaque", &value, 1), 1);
  EXPECT_EQ(value, 'y');
  EXPECT_EQ(content("opt/new"), "n");
  EXPECT_FALSE(std::filesystem::exists(at(".wh..wh.plnk")));
}

TEST_F(UnpackLayer, RefusesNamesWithDotDotAndWritesNothingOutside) {
  EXPECT_THAT(refusal({tar_file("usr/../../evil", "x")}), HasSubstr("usr/../../evil"));
  EXPECT_THAT(refusal({tar_hard_link("copy", "../layer.tar")}), HasSubstr("\"..\""));
  EXPECT_THAT(refusal({tar_file("a/.wh...", "")}), HasSubstr("a/.wh..."));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/evil"));
}

// As docker and containerd do: the layer's root is the root.
TEST_F(UnpackLayer, KeepsAbsoluteNamesAndLinksInside) {
  const std::string victim = directory_.path() + "/victim";
  std::filesystem::create_directory(victim);
  unpack({tar_file("/absolute", "a"), tar_link("out", victim), tar_file("out/evil", "e"), tar_link("up", "../../../.."),
          tar_file("up/evil", "u")});
  EXPECT_EQ(content("absolute"), "a");
  EXPECT_TRUE(std::filesystem::is_empty(victim));
  EXPECT_EQ(content(victim.substr(1) + "/evil"), "e");
  EXPECT_EQ(content("evil"), "u");
  EXPECT_FALSE(std::filesystem::exists("/evil"));
}

TEST_F(UnpackLayer, RefusesHardLinksToWhatTheLayerDoesNotHold) {
  EXPECT_THAT(refusal({tar_hard_link("shadow", "/etc/shadow")}),
              HasSubstr("the member shadow: shadow, a hard link to etc/shadow, which the layer does not hold"));
  EXPECT_THAT(refusal({tar_link("e", "/etc"), tar_hard_link("p", "e/passwd")}), HasSubstr("does not hold"));
}

TEST_F(UnpackLayer, LeavesOutDevicesInDevAndRefusesThemElsewhere) {
  TarMember device = tar_file("dev/null", "");
  device.type = S_IFCHR;
  unpack({device});
  EXPECT_FALSE(std::filesystem::exists(at("dev/null")));
  device.name = "usr/kmem";
  EXPECT_THAT(refusal({device}), HasSubstr("the member usr/kmem: a device outside dev/"));
}

TEST_F(UnpackLayer, RefusesBombs) {
  const std::string zeros(1 << 20, '\0');
  EXPECT_THAT(refusal({tar_file("a", zeros), tar_file("b", zeros)}, {.bytes = 3 << 19}),
              HasSubstr("the member b: content over 1572864 bytes"));
  EXPECT_THAT(refusal({tar_file("a", zeros)}, {.ratio = 10, .ratio_bytes = 1 << 16}),
              HasSubstr("over 10 times the layer's size"));
  EXPECT_THAT(refusal({tar_file("a", ""), tar_file("b", ""), tar_file("c", "")}, {.members = 2}),
              HasSubstr("more than 2 members"));
  EXPECT_EQ(refusal({tar_file("a", zeros)}), "");
}

TEST_F(UnpackLayer, LaterMembersReplaceEarlierOnes) {
  unpack({tar_file("a", "old"), tar_file("a", "new"), tar_file("b", "file"), tar_link("b", "a"),
          tar_link("c", "/nowhere"), tar_directory("c"), tar_file("c/in", "i"), tar_file("d/x", "1"),
          tar_directory("d", 0700)});
  EXPECT_EQ(content("a"), "new");
  EXPECT_EQ(std::filesystem::read_symlink(at("b")), "a");
  EXPECT_EQ(content("c/in"), "i");
  EXPECT_EQ(content("d/x"), "1");
  EXPECT_EQ(status("d").st_mode, S_IFDIR | 0700U);
}

TEST_F(UnpackLayer, FollowsALinkWhoseTargetOnlyALowerLayerHas) {
  unpack({tar_link("var/run", "/run"), tar_file("var/run/lock", "l")});
  EXPECT_EQ(content("run/lock"), "l");
  EXPECT_THAT(refusal({tar_link("x", "y"), tar_link("y", "x"), tar_file("x/f", "")}), HasSubstr("symbolic links"));
}

TEST_F(UnpackLayer, RefusesBrokenFiles) {
  testing::write_tar(tar_, {tar_file("a", std::string(100'000, 'x'))}, TarFilter::none);
  std::filesystem::resize_file(tar_, 50'000);
  EXPECT_THROW(unpack_layer(tar_, root_), PlaneError);
  write_file(tar_, "this is no archive at all");
  EXPECT_THROW(unpack_layer(tar_, root_), PlaneError);
}

TEST_F(UnpackLayer, AnEmptyLayerIsEmpty) {
  unpack({});
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

class LayersTest : public UnpackLayer {};

TEST_F(LayersTest, RefusesABlobThatDoesNotMatchItsDigestAndKeepsNothing) {
  Layers layers(root_);
  testing::write_tar(tar_, {tar_file("a", "content")});
  const std::string digest = "sha256:" + std::string(64, 'a');
  try {
    layers.ensure(digest, tar_);
    FAIL();
  } catch (const PlaneError& error) {
    EXPECT_EQ(error.message, "layer " + digest + ": its content has the digest " + digest_of_file(tar_));
  }
  EXPECT_FALSE(layers.has(digest));
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/partial"));
}

TEST_F(LayersTest, ShowsFilesAsTheOverlayWould) {
  Layers layers(root_);
  std::vector<std::string> paths;
  const auto layer = [&](const std::vector<TarMember>& members) {
    testing::write_tar(tar_, members);
    const std::string digest = digest_of_file(tar_);
    layers.ensure(digest, tar_);
    paths.push_back(layers.path(digest));
  };
  layer(
      {tar_file("etc/passwd", "low"), tar_file("etc/group", "low"), tar_file("opt/a", "low"), tar_file("x/y", "low")});
  layer({tar_file("etc/passwd", "high"), tar_file("etc/.wh.group", ""), tar_file("opt/.wh..wh..opq", ""),
         tar_file(".wh.x", ""), tar_link("link", "etc/passwd")});
  EXPECT_EQ(read_from_layers(paths, "etc/passwd"), "high");
  EXPECT_EQ(read_from_layers(paths, "link"), "high");
  EXPECT_EQ(read_from_layers(paths, "etc/group"), std::nullopt);
  EXPECT_EQ(read_from_layers(paths, "opt/a"), std::nullopt);
  EXPECT_EQ(read_from_layers(paths, "x/y"), std::nullopt);
  EXPECT_EQ(read_from_layers({paths[0]}, "x/y"), "low");
  EXPECT_EQ(read_from_layers(paths, "etc/passwd", 3), std::nullopt);
}

TEST_F(UnpackLayer, RefusesASymbolicLinkToNothing) {
  EXPECT_THAT(refusal({tar_link("a", "")}), HasSubstr("a symbolic link to nothing"));
}

}  // namespace
}  // namespace brume::containers
