#include "core/scope.h"

#include <algorithm>
#include <array>

#include "core/arn_view.h"

namespace brume {
namespace {

// The regions of the partitions aws, aws-cn and aws-us-gov, with the prefix of their zone ids and the ids' numbers for
// the zones a, b and c ("AWS Availability Zones" in "AWS Regions and Availability Zones"). Where AWS maps zones per
// account, or names them with other letters, the ids are real ones and the order is ours.
struct Region {
  std::string_view name;
  std::string_view zone_prefix;
  std::array<int, 3> zone_numbers{1, 2, 3};
};

constexpr std::array kRegions = {
    Region{"af-south-1", "afs1"},
    Region{"ap-east-1", "ape1"},
    Region{"ap-east-2", "ape2"},
    Region{"ap-northeast-1", "apne1", {4, 1, 2}},
    Region{"ap-northeast-2", "apne2"},
    Region{"ap-northeast-3", "apne3"},
    Region{"ap-south-1", "aps1"},
    Region{"ap-south-2", "aps2"},
    Region{"ap-southeast-1", "apse1"},
    Region{"ap-southeast-2", "apse2"},
    Region{"ap-southeast-3", "apse3"},
    Region{"ap-southeast-4", "apse4"},
    Region{"ap-southeast-5", "apse5"},
    Region{"ap-southeast-6", "apse6"},
    Region{"ap-southeast-7", "apse7"},
    Region{"ca-central-1", "cac1", {1, 2, 4}},
    Region{"ca-west-1", "caw1"},
    Region{"cn-north-1", "cnn1"},
    Region{"cn-northwest-1", "cnnw1"},
    Region{"eu-central-1", "euc1"},
    Region{"eu-central-2", "euc2"},
    Region{"eu-north-1", "eun1"},
    Region{"eu-south-1", "eus1"},
    Region{"eu-south-2", "eus2"},
    Region{"eu-west-1", "euw1"},
    Region{"eu-west-2", "euw2"},
    Region{"eu-west-3", "euw3"},
    Region{"il-central-1", "ilc1"},
    Region{"me-central-1", "mec1"},
    Region{"me-south-1", "mes1"},
    Region{"mx-central-1", "mxc1"},
    Region{"sa-east-1", "sae1"},
    Region{"us-east-1", "use1"},
    Region{"us-east-2", "use2"},
    Region{"us-gov-east-1", "usge1"},
    Region{"us-gov-west-1", "usgw1"},
    Region{"us-west-1", "usw1", {1, 3, 2}},
    Region{"us-west-2", "usw2"},
};

constexpr std::size_t kNoRegion = kRegions.size();

std::size_t index_of(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kRegions, name, {}, &Region::name);
  return found != kRegions.end() && found->name == name ? static_cast<std::size_t>(found - kRegions.begin())
                                                        : kNoRegion;
}

}  // namespace

std::string_view partition_of(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

std::string_view dns_suffix_of(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

bool is_region(std::string_view name) { return index_of(name) != kNoRegion; }

std::span<const std::string_view> all_regions() {
  static constexpr auto names = [] {
    std::array<std::string_view, kRegions.size()> list;
    std::ranges::transform(kRegions, list.begin(), &Region::name);
    return list;
  }();
  return names;
}

std::span<const Zone> zones_of(std::string_view region) {
  static const auto zones = [] {
    std::array<std::array<Zone, 3>, kRegions.size()> list;
    for (std::size_t r = 0; r < kRegions.size(); ++r) {
      for (std::size_t z = 0; z < 3; ++z) {
        list[r][z].name = std::string(kRegions[r].name) + static_cast<char>('a' + z);
        list[r][z].id = std::string(kRegions[r].zone_prefix) + "-az" + std::to_string(kRegions[r].zone_numbers[z]);
      }
    }
    return list;
  }();
  const std::size_t index = index_of(region);
  if (index == kNoRegion) return {};
  return zones[index];
}

std::optional<Arn> parse_arn(std::string_view text) {
  const std::optional<ArnView> arn = view_arn(text);
  if (!arn) return std::nullopt;
  return Arn{std::string(arn->partition), std::string(arn->service), std::string(arn->region),
             std::string(arn->account), std::string(arn->resource)};
}

std::string to_string(const Arn& arn) {
  return "arn:" + arn.partition + ":" + arn.service + ":" + arn.region + ":" + arn.account + ":" + arn.resource;
}

std::string make_arn(const Scope& scope, std::string_view service, std::string_view resource) {
  return to_string({std::string(partition_of(scope.region)), std::string(service), scope.region, scope.account,
                    std::string(resource)});
}

std::string make_global_arn(const Scope& scope, std::string_view service, std::string_view resource) {
  return to_string(
      {std::string(partition_of(scope.region)), std::string(service), "", scope.account, std::string(resource)});
}

}  // namespace brume
