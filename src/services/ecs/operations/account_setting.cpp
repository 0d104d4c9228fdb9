// Account settings: those that change nothing here are kept at what Fargate always has; others are refused by name.
#include "services/ecs/request_checks.h"

namespace brume::ecs {
namespace {

// The long ARN and id formats are the only ones that exist now.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"serviceLongArnFormat", "enabled"},           {"taskLongArnFormat", "enabled"},
    {"containerInstanceLongArnFormat", "enabled"}, {"containerInsights", "disabled"},
    {"fargateTaskRetirementWaitPeriod", "7"},      {"tagResourceAuthorization", "off"}};

Setting describe(const Request<ListAccountSettingsInput>& request, const std::string& name, const std::string& value) {
  Setting setting;
  setting.name = name;
  setting.value = value;
  setting.principal_arn = make_global_arn(request.scope, "iam", "root");
  return setting;
}

}  // namespace

PutAccountSettingOutput put_account_setting(Ecs&, Tx&, const Request<PutAccountSettingInput>& request) {
  const std::string& name = request.input.name.get();
  const std::string& value = request.input.value.get();
  for (const auto& [known, fixed] : kSettings) {
    if (name != known) continue;
    refuse_if(value != fixed, "PutAccountSetting", name + " " + value);
    PutAccountSettingOutput output;
    output.setting.emplace().name = name;
    output.setting->value = value;
    output.setting->principal_arn = request.principal.arn;
    return output;
  }
  refuse_if(true, "PutAccountSetting", name);
  return {};
}

ListAccountSettingsOutput list_account_settings(Ecs&, Tx&, const Request<ListAccountSettingsInput>& request) {
  ListAccountSettingsOutput output;
  output.settings.ensure();
  for (const auto& [name, value] : kSettings)
    if (!request.input.name || *request.input.name == name) output.settings->push_back(describe(request, name, value));
  return output;
}

}  // namespace brume::ecs
