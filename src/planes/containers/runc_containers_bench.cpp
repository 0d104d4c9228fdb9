// From start to the first HTTP answer: the plane against a bare `runc run` of the same image in the same network
// namespace. Interleaved rounds, medians and their ratio.
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "core/worker_pool.h"
#include "planes/containers/bundle.h"
#include "planes/containers/containers.h"
#include "planes/containers/test_image.h"
#include "planes/containers/test_target.h"
#include "planes/keeper/keeper_client.h"
#include "planes/keeper/keeper_process.h"
#include "planes/keeper/mounts.h"
#include "planes/keeper/test_instance.h"
#include "planes/keeper/test_loop.h"

namespace brume::containers {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 15;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Bench {
 public:
  Bench() {
    client_->on_lines([this](const std::vector<Keeper::Line>& lines) {
      for (const Keeper::Line& line : lines) client_->acknowledge(line.id, line.sequence);
    });
    containers_ = make_containers(
        {instance_.run_directory(), instance_.state_directory() + "/containers", instance_.cgroup(), ""}, *client_,
        *images_, workers_, loop_);
    image_ = put_image(*images_, testing::make_image(instance_.directory(),
                                                     {{testing::tar_file("target", testing::target_program(), 0755)}},
                                                     {{"Cmd", {"/target", "serve", "8000"}}}));
    loop_.await<bool>([&](auto done) {
      images_->prepare(image_, [this, done](std::optional<Image> image, const std::string&) {
        prepared_ = *image;
        done(true);
      });
    });
  }
  ~Bench() {
    loop_.await<bool>([&](auto done) { containers_->remove_all([done] { done(true); }); });
    loop_.await<bool>([&](auto done) { client_->shut_down([done] { done(true); }); });
  }

  double plane() {
    loop_.await<std::string>([&](auto done) { containers_->create_sandbox({"t1", "host", 0, 0}, done); });
    ContainerSpec spec = spec_of("t1/app");
    const auto begin = Clock::now();
    const auto started = loop_.await<Containers::Started>([&](auto done) { containers_->start(spec, done); });
    started_.push_back(milliseconds_since(begin));
    if (!started.error.empty() || space_.get(8000).empty()) std::fprintf(stderr, "%s\n", started.error.c_str());
    const double answered = milliseconds_since(begin);
    loop_.await<std::string>([&](auto done) { containers_->remove_sandbox("t1", done); });
    return answered;
  }

  // The bundle and the mount are there before the clock starts.
  double bare() {
    BundleInput input;
    input.spec = spec_of("bare/app");
    input.image = prepared_;
    for (const std::string& layer : prepared_.layers) input.layers.push_back(images_->layer_path(layer));
    input.directory = instance_.directory() + "/bare";
    input.hostname = "host";
    input.network_namespace = space_.path();
    input.cgroup = instance_.cgroup() + "/bare";
    const Bundle bundle = make_bundle(input);
    keeper::mount_overlay(bundle.overlay);
    const std::string command = "exec runc --root " + instance_.directory() + "/runc run --detach --bundle " +
                                input.directory + " --pid-file " + bundle.pid_file +
                                " bare > /dev/null 2>&1 < /dev/null";
    const auto begin = Clock::now();
    if (std::system(command.c_str()) != 0 || space_.get(8000).empty()) std::fprintf(stderr, "runc failed\n");
    const double answered = milliseconds_since(begin);
    keeper::remove_cgroup(input.cgroup);
    keeper::unmount_below(bundle.overlay.target);
    std::filesystem::remove_all(instance_.directory() + "/runc");
    return answered;
  }
  double started() const { return median(started_); }

 private:
  ContainerSpec spec_of(const std::string& id) const {
    ContainerSpec spec;
    spec.id = id;
    spec.sandbox = "t1";
    spec.network_namespace = space_.path();
    spec.image = image_;
    return spec;
  }

  testing::TestInstance instance_;
  testing::TestLoop loop_;
  testing::TestNamespace space_{instance_.directory() + "/ns"};
  std::unique_ptr<KeeperClient> client_ = make_keeper_client(instance_.options(), loop_);
  WorkerPool workers_{loop_, 2};
  std::unique_ptr<Images> images_ =
      make_images({instance_.state_directory() + "/images", "", "", [](std::string_view) { return true; }}, *client_,
                  workers_, loop_);
  std::unique_ptr<Containers> containers_;
  std::string image_;
  Image prepared_;
  std::vector<double> started_;
};

}  // namespace
}  // namespace brume::containers

int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == "keep") return brume::keeper_main(count - 2, arguments + 2);
  if (::geteuid() != 0) return std::puts("skipped: containers need root here"), 0;
  brume::containers::Bench bench;
  std::vector<double> plane, bare;
  for (int round = 0; round < brume::containers::kRounds; ++round) {
    plane.push_back(bench.plane());
    bare.push_back(bench.bare());
  }
  using brume::containers::median;
  std::printf(
      "start to HTTP answered, median of %d: plane %.1f ms (start told after %.1f ms), bare runc run %.1f ms, "
      "ratio %.2f\n",
      brume::containers::kRounds, median(plane), bench.started(), median(bare), median(plane) / median(bare));
}
