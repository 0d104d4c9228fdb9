#include "app/adapters/image_source.h"

namespace brume::app {

void ImageSource::prepare(const std::string& digest, std::function<void(std::optional<Resolved>, std::string)> done) {
  images_.prepare(digest,
                  [done = std::move(done)](const std::optional<containers::Image>& image, const std::string& error) {
                    if (!image) return done(std::nullopt, error);
                    done(Resolved{image->digest, image->config.entry_point, image->config.command}, {});
                  });
}

void ImageSource::pull(const Scope& scope, const std::string& reference, const std::optional<Principal>& execution,
                       std::function<void(std::optional<Resolved>, std::string)> done) {
  if (ecr::scope_of_registry_host(reference.substr(0, reference.find('/')))) {
    if (!execution)
      return done(std::nullopt, "pull image manifest has been retried 1 time(s): failed to resolve ref " + reference +
                                    ": no basic auth credentials (the task definition has no execution role)");
    const ecr::PullAnswer answer = ecr::resolve_pull(ecr_, scope, reference, *execution);
    if (!answer.error.empty()) return done(std::nullopt, answer.error);
    return prepare(answer.digest, std::move(done));
  }
  images_.pull(reference, [this, done = std::move(done)](const std::string& digest, const std::string& error) {
    if (!error.empty()) return done(std::nullopt, error);
    prepare(digest, done);
  });
}

}  // namespace brume::app
