// Fuzz target: lifecycle policies of ECR. A document is refused with a sentence or read; what it expires are images of
// the list, each once, and more images never save one that was expired by its age. The first byte is the images'
// number.
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "services/ecr/ecr.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume;
  using namespace brume::ecr;
  if (size == 0) return 0;
  const std::string document(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr Time kNow{1'772'366'400'000};
  std::vector<LifecycleImage> images;
  for (unsigned i = 0; i < data[0] % 12U; ++i) {
    LifecycleImage image{"sha256:" + std::to_string(i), {}, kNow - days(i)};
    if (i % 3 > 0) image.tags.push_back("v" + std::to_string(i));
    if (i % 3 > 1) image.tags.push_back("a" + std::to_string(i));
    images.push_back(image);
  }
  const std::string problem = lifecycle_problem(document);
  const std::vector<std::string> expired = expired_images(document, images, kNow);
  if (!problem.empty()) BRUME_CHECK(expired.empty());
  const std::set<std::string> once(expired.begin(), expired.end());
  BRUME_CHECK(once.size() == expired.size() && once.size() <= images.size());
  for (const LifecycleImage& image : images)
    if (image.pushed_at == kNow && images.size() == 1) BRUME_CHECK(expired.empty());
  // Time only makes more images expire, and the order of the list means nothing.
  const std::vector<std::string> later = expired_images(document, images, kNow + days(30));
  const std::set<std::string> later_set(later.begin(), later.end());
  for (const std::string& digest : once) BRUME_CHECK(later_set.contains(digest));
  std::vector<LifecycleImage> turned(images.rbegin(), images.rend());
  const std::vector<std::string> same = expired_images(document, turned, kNow);
  BRUME_CHECK(std::set<std::string>(same.begin(), same.end()) == once);
  return 0;
}
