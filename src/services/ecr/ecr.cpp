#include "services/ecr/ecr.h"

#include "core/text.h"
#include "services/ecr/registry.h"

namespace brume::ecr {
namespace {

constexpr std::string_view kHostMark = ".dkr.ecr.";

void sweep(Ecr& ecr) {
  const Time now = ecr.needs.clock.now();
  ecr.needs.control.at(now + days(1), [&ecr] { sweep(ecr); });  // first: a full disk ends what follows
  std::vector<std::pair<Scope, std::string>> expired, with_policy;
  ecr.tokens.for_all([&](const Scope& scope, std::string_view id, const TokenRecord& token) {
    if (token.expires <= now) expired.emplace_back(scope, id);
  });
  ecr.repositories.for_all([&](const Scope& scope, std::string_view id, const RepositoryRecord& repository) {
    if (!repository.lifecycle_policy.empty()) with_policy.emplace_back(scope, id);
  });
  if (!expired.empty() || !with_policy.empty()) {
    Tx tx(ecr.needs.store);
    for (const auto& [scope, id] : expired) ecr.tokens.erase(tx, scope, id);
    for (const auto& [scope, id] : with_policy) apply_lifecycle(ecr, tx, scope, id);
    tx.commit();
  }
}

}  // namespace

Ecr::Ecr(const EcrNeeds& given)
    : needs(given),
      repositories(given.store, {"ecr.repository"}),
      images(given.store, {"ecr.image"}),
      layers(given.store, {"ecr.layer"}),
      tokens(given.store, {"ecr.token"}),
      paging(PagingTokens::load(given.store, given.random)),
      registry_handler(std::make_unique<Registry>(*this)) {}

Ecr::~Ecr() = default;

void Ecr::start() { sweep(*this); }

HttpHandler& Ecr::registry() { return *registry_handler; }

std::optional<ResourcePolicies::Found> Ecr::find(const std::string& text) const {
  const std::optional<Arn> arn = parse_arn(text);
  constexpr std::string_view kPrefix = "repository/";
  if (!arn || arn->service != "ecr" || !arn->resource.starts_with(kPrefix)) return std::nullopt;
  const RepositoryRecord* found = repositories.find({arn->account, arn->region}, arn->resource.substr(kPrefix.size()));
  if (found == nullptr) return std::nullopt;
  return Found{arn->account, found->policy};
}

std::string registry_host(const Scope& scope) {
  return scope.account + std::string(kHostMark) + scope.region + "." + std::string(dns_suffix_of(scope.region));
}

std::optional<Scope> scope_of_registry_host(const std::string& host) {
  const std::string name = host.substr(0, host.find(':'));
  const std::size_t mark = name.find(kHostMark);
  if (mark != 12) return std::nullopt;
  const std::size_t from = mark + kHostMark.size();
  const std::string region = name.substr(from, name.find('.', from) - from);
  if (!is_region(region)) return std::nullopt;
  return Scope{name.substr(0, mark), region};
}

std::string repository_arn(const Scope& scope, const std::string& name) {
  return make_arn(scope, "ecr", "repository/" + name);
}

const RepositoryRecord& get_repository(const Ecr& ecr, const Scope& scope, const std::string& name) {
  const RepositoryRecord* found = ecr.repositories.find(scope, name);
  if (found == nullptr)
    throw repository_not_found_exception("The repository with name '" + name +
                                         "' does not exist in the registry with id '" + scope.account + "'");
  return *found;
}

const ImageRecord* find_image(const Ecr& ecr, const Scope& scope, const std::string& repository,
                              const std::string& reference) {
  if (reference.starts_with("sha256:")) return ecr.images.find(scope, repository + "@" + reference);
  const ImageRecord* found = nullptr;
  ecr.images.for_each(scope, [&](const ImageRecord& image) {
    if (image.repository != repository) return;
    for (const std::string& tag : image.tags)
      if (tag == reference) found = &image;
  });
  return found;
}

PullAnswer resolve_pull(Ecr& ecr, const Scope& caller, const std::string& reference, const Principal& principal) {
  const std::size_t slash = reference.find('/');
  const std::string host = reference.substr(0, slash);
  const Scope scope = *scope_of_registry_host(host);
  std::string name = reference.substr(slash + 1);
  std::string version = "latest";
  if (const std::size_t at = name.find('@'); at != std::string::npos) {
    version = name.substr(at + 1);
    name.resize(at);
  } else if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    version = name.substr(colon + 1);
    name.resize(colon);
  }
  RequestContext context;
  context.scope = caller;
  context.principal = principal;
  context.now = ecr.needs.clock.now();
  for (const auto& [action, resource] : {std::pair<std::string, std::string>{"ecr:GetAuthorizationToken", "*"},
                                         {"ecr:BatchGetImage", repository_arn(scope, name)},
                                         {"ecr:GetDownloadUrlForLayer", repository_arn(scope, name)}}) {
    const Ask ask{.action = action, .resource = resource, .keys = {}};
    if (const Verdict verdict = ecr.needs.authorizer.authorize(context, ask); !verdict.allowed)
      return {{},
              "pull image manifest has been retried 1 time(s): failed to resolve ref " + reference + ": " +
                  denial_message(principal, ask, verdict)};
  }
  const ImageRecord* image =
      ecr.repositories.find(scope, name) == nullptr ? nullptr : find_image(ecr, scope, name, version);
  if (image == nullptr)
    return {{},
            "pull image manifest has been retried 1 time(s): failed to resolve ref " + reference + ": " + reference +
                ": not found"};
  return {image->digest, {}};
}

}  // namespace brume::ecr
