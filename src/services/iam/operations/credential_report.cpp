#include "gen/iam.h"
#include "services/iam/devices.h"

namespace brume::iam {
namespace {

// The columns of "Generate credential reports for your AWS account", in its order.
constexpr const char* kHeader =
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_"
    "region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated";

std::string moment(Time time) {
  // "2026-01-02T03:04:05+00:00", as the report writes it.
  std::string text = iso8601(time).substr(0, 19);
  return text + "+00:00";
}

void add_key(const Iam& iam, const std::string& account, const AccessKeyRecord* key, std::string& line) {
  if (key == nullptr) {
    line += ",false,N/A,N/A,N/A,N/A";
    return;
  }
  line += key->active ? ",true," : ",false,";
  line += moment(key->created);
  const LastUseRecord* use = iam.last_uses.find(account, key->id);
  line +=
      use == nullptr ? std::string(",N/A,N/A,N/A") : "," + moment(use->time) + "," + use->region + "," + use->service;
}

void add_keys(const Iam& iam, const std::string& account, const std::string& user, std::string& line) {
  std::vector<const AccessKeyRecord*> keys;
  for (const std::string& id : iam.indexes.ids(account, kKeysOf, user))
    keys.push_back(iam.keys.find(global(account), id));
  keys.resize(2);
  for (const AccessKeyRecord* key : keys) add_key(iam, account, key, line);
  line += ",false,N/A,false,N/A\n";
}

void add_user(const Iam& iam, const RequestContext& request, const AccountRecord& account, const UserRecord& user,
              const std::map<std::string, bool>& with_device, std::string& report) {
  report += user.name + "," + user.arn + "," + moment(user.created);
  if (user.has_login) {
    report += ",true,no_information," + moment(user.login.changed) + ",";
    const std::int64_t days = account.has_rules ? account.rules.maximum_age_days : 0;
    report += days > 0 ? moment(user.login.changed + hours(24 * days)) : std::string("N/A");
  } else {
    report += ",false,N/A,N/A,N/A";
  }
  report += with_device.contains(key_of(user.name)) ? ",true" : ",false";
  add_keys(iam, request.scope.account, user.name, report);
}

std::string make_report(const Iam& iam, const RequestContext& request, const AccountRecord& account) {
  std::map<std::string, bool> with_device;
  iam.devices.for_each(global(request), [&](const DeviceRecord& device) {
    if (device.enabled.ms != 0) with_device[key_of(device.user)] = true;
  });
  std::string report = std::string(kHeader) + "\n";
  report += "<root_account>," + make_global_arn(request.scope, "iam", "root") + "," + moment(Time{}) +
            ",not_supported,no_information,not_supported,not_supported,false";
  add_keys(iam, request.scope.account, "", report);
  iam.users.for_each(global(request),
                     [&](const UserRecord& user) { add_user(iam, request, account, user, with_device, report); });
  report.pop_back();
  return report;
}

}  // namespace

// "IAM generates a report once every four hours"; the first call says that it was started, the next that it is there.
GenerateCredentialReportOutput generate_credential_report(Iam& iam, Tx& tx,
                                                          const Request<GenerateCredentialReportInput>& request) {
  const AccountRecord account = account_of(iam, request.scope.account);
  GenerateCredentialReportOutput output;
  output.state = "COMPLETE";
  if (!account.report.empty() && request.now < account.reported + hours(4)) return output;
  if (account.report.empty()) {
    output.state = "STARTED";
    output.description = "No report exists. Starting a new report generation task";
  }
  const std::string report = make_report(iam, request, account);
  modify_account(iam, tx, request.scope.account, [&](AccountRecord& record) {
    record.report = report;
    record.reported = iam.clock.now();
  });
  return output;
}

GetCredentialReportOutput get_credential_report(Iam& iam, Tx&, const Request<GetCredentialReportInput>& request) {
  const AccountRecord account = account_of(iam, request.scope.account);
  if (account.report.empty())
    throw credential_report_not_present_exception("No report exists. Please generate a new one.");
  if (request.now >= account.reported + hours(4))
    throw credential_report_expired_exception("The credential report has expired. Please generate a new one.");
  GetCredentialReportOutput output;
  output.content = account.report;
  output.report_format = "text/csv";
  output.generated_time = account.reported;
  return output;
}

}  // namespace brume::iam
