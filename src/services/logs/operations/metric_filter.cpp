// Metric filters: events that match publish metrics.
#include <algorithm>

#include "services/logs/filter_pattern.h"
#include "services/logs/logs.h"

namespace brume::logs {

PutMetricFilterOutput put_metric_filter(Logs& logs, Tx& tx, const Request<PutMetricFilterInput>& request) {
  const PutMetricFilterInput& input = request.input;
  if (input.apply_on_transformed_logs.value_or(false))
    throw invalid_parameter_exception("Brume does not serve applyOnTransformedLogs of logs:PutMetricFilter.");
  if (input.field_selection_criteria || !input.emit_system_field_dimensions.get().empty())
    throw invalid_parameter_exception("Brume does not serve fieldSelectionCriteria of logs:PutMetricFilter.");
  FilterPattern::parse(input.filter_pattern.get());
  const std::string name = get_group(logs, request.scope, input.log_group_name.get()).name;
  logs.groups.modify(tx, request.scope, name, [&](GroupRecord& group) {
    auto& filters = group.metric_filters;
    auto found = std::ranges::find(filters, input.filter_name.get(), &MetricFilterRecord::name);
    if (found == filters.end())
      found = filters.insert(filters.end(), {.name = *input.filter_name, .created_at = request.now});
    found->pattern = input.filter_pattern.get();
    found->transformations = input.metric_transformations.get();
    std::ranges::sort(filters, {}, &MetricFilterRecord::name);
  });
  return {};
}

DeleteMetricFilterOutput delete_metric_filter(Logs& logs, Tx& tx, const Request<DeleteMetricFilterInput>& request) {
  const std::string name = get_group(logs, request.scope, request.input.log_group_name.get()).name;
  bool removed = false;
  logs.groups.modify(tx, request.scope, name, [&](GroupRecord& group) {
    removed =
        std::erase_if(group.metric_filters, [&](const auto& f) { return f.name == *request.input.filter_name; }) > 0;
  });
  if (!removed) throw resource_not_found_exception("The specified metric filter does not exist.");
  return {};
}

DescribeMetricFiltersOutput describe_metric_filters(Logs& logs, Tx&,
                                                    const Request<DescribeMetricFiltersInput>& request) {
  const DescribeMetricFiltersInput& input = request.input;
  if (input.log_group_name) get_group(logs, request.scope, *input.log_group_name);
  std::vector<MetricFilter> filters;
  logs.groups.for_each(request.scope, [&](const GroupRecord& group) {
    if (input.log_group_name && group.name != *input.log_group_name) return;
    for (const MetricFilterRecord& record : group.metric_filters) {
      if (!record.name.starts_with(input.filter_name_prefix.get())) continue;
      const bool of_metric = std::ranges::any_of(record.transformations, [&](const MetricTransformation& t) {
        return (!input.metric_name || t.metric_name == input.metric_name) &&
               (!input.metric_namespace || t.metric_namespace == input.metric_namespace);
      });
      if (!of_metric) continue;
      MetricFilter& filter = filters.emplace_back();
      filter.filter_name = record.name;
      filter.filter_pattern = record.pattern;
      filter.metric_transformations = record.transformations;
      filter.creation_time = record.created_at.ms;
      filter.log_group_name = group.name;
    }
  });
  DescribeMetricFiltersOutput output;
  output.next_token = cut_page(
      logs.paging, paging_purpose("logs:DescribeMetricFilters", request.scope), input.next_token,
      static_cast<std::size_t>(input.limit.value_or(50)), filters,
      [](const MetricFilter& filter) { return *filter.log_group_name + '\0' + *filter.filter_name; },
      invalid_parameter_exception("The specified nextToken is invalid."));
  output.metric_filters = std::move(filters);
  return output;
}

}  // namespace brume::logs
