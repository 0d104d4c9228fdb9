#include "services/elbv2/hosted_zones.h"

#include <algorithm>
#include <array>
#include <utility>

namespace brume::elbv2 {

std::string_view canonical_hosted_zone(std::string_view region) {
  using Entry = std::pair<std::string_view, std::string_view>;
  static constexpr std::array kZones = {
      Entry{"af-south-1", "Z268VQBMOI5EKX"},
      Entry{"ap-east-1", "Z3DQVH9N71FHZ0"},
      Entry{"ap-east-2", "Z02789141MW7T1WBU19PO"},
      Entry{"ap-northeast-1", "Z14GRHDCWA56QT"},
      Entry{"ap-northeast-2", "ZWKZPGTI48KDX"},
      Entry{"ap-northeast-3", "Z5LXEXXYW11ES"},
      Entry{"ap-south-1", "ZP97RAFLXTNZK"},
      Entry{"ap-south-2", "Z0173938T07WNTVAEPZN"},
      Entry{"ap-southeast-1", "Z1LMS91P8CMLE5"},
      Entry{"ap-southeast-2", "Z1GM3OXH4ZPM65"},
      Entry{"ap-southeast-3", "Z08888821HLRG5A9ZRTER"},
      Entry{"ap-southeast-4", "Z09517862IB2WZLPXG76F"},
      Entry{"ap-southeast-5", "Z06010284QMVVW7WO5J"},
      Entry{"ap-southeast-6", "Z023301818UFJ50CIO0MV"},
      Entry{"ap-southeast-7", "Z0390008CMBRTHFGWBCB"},
      Entry{"ca-central-1", "ZQSVJUPU6J1EY"},
      Entry{"ca-west-1", "Z06473681N0SF6OS049SD"},
      Entry{"cn-north-1", "Z1GDH35T77C1KE"},
      Entry{"cn-northwest-1", "ZM7IZAIOVVDZF"},
      Entry{"eu-central-1", "Z215JYRZR1TBD5"},
      Entry{"eu-central-2", "Z06391101F2ZOEP8P5EB3"},
      Entry{"eu-north-1", "Z23TAZ6LKFMNIO"},
      Entry{"eu-south-1", "Z3ULH7SSC9OV64"},
      Entry{"eu-south-2", "Z0956581394HF5D5LXGAP"},
      Entry{"eu-west-1", "Z32O12XQLNTSW2"},
      Entry{"eu-west-2", "ZHURV8PSTC4K8"},
      Entry{"eu-west-3", "Z3Q77PNBQS71R4"},
      Entry{"il-central-1", "Z09170902867EHPV2DABU"},
      Entry{"me-central-1", "Z08230872XQRWHG2XF6I"},
      Entry{"me-south-1", "ZS929ML54UICD"},
      Entry{"mx-central-1", "Z023552324OKD1BB28BH5"},
      Entry{"sa-east-1", "Z2P70J7HTTTPLU"},
      Entry{"us-east-1", "Z35SXDOTRQ7X7K"},
      Entry{"us-east-2", "Z3AADJGX6KTTL2"},
      Entry{"us-gov-east-1", "Z166TLBEWOO7G0"},
      Entry{"us-gov-west-1", "Z33AYJ8TM3BH4J"},
      Entry{"us-west-1", "Z368ELLRRE2KJ0"},
      Entry{"us-west-2", "Z1H1FL5HABSF5"},
  };
  const auto found = std::ranges::find(kZones, region, &Entry::first);
  return found == kZones.end() ? std::string_view() : found->second;
}

}  // namespace brume::elbv2
