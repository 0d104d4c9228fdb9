// The members of ECS's generated shapes that are stored in records. A member that is not listed here is not served:
// operations refuse it by name.
#pragma once

#include <boost/describe/class.hpp>

#include "gen/ecs.h"

namespace brume::ecs {

BOOST_DESCRIBE_STRUCT(KeyValuePair, (), (name, value))
BOOST_DESCRIBE_STRUCT(PortMapping, (), (container_port, host_port, protocol, name, app_protocol))
BOOST_DESCRIBE_STRUCT(MountPoint, (), (source_volume, container_path, read_only))
BOOST_DESCRIBE_STRUCT(KernelCapabilities, (), (add, drop))
BOOST_DESCRIBE_STRUCT(Tmpfs, (), (container_path, size, mount_options))
BOOST_DESCRIBE_STRUCT(LinuxParameters, (), (capabilities, init_process_enabled, tmpfs))
BOOST_DESCRIBE_STRUCT(ContainerDependency, (), (container_name, condition))
BOOST_DESCRIBE_STRUCT(Ulimit, (), (name, soft_limit, hard_limit))
BOOST_DESCRIBE_STRUCT(LogConfiguration, (), (log_driver, options))
BOOST_DESCRIBE_STRUCT(HealthCheck, (), (command, interval, timeout, retries, start_period))
BOOST_DESCRIBE_STRUCT(SystemControl, (), (namespace_, value))
BOOST_DESCRIBE_STRUCT(ContainerDefinition, (),
                      (name, image, cpu, memory, memory_reservation, port_mappings, essential, entry_point, command,
                       environment, mount_points, linux_parameters, depends_on, start_timeout, stop_timeout, user,
                       working_directory, readonly_root_filesystem, interactive, pseudo_terminal, docker_labels,
                       ulimits, log_configuration, health_check, system_controls, version_consistency))
BOOST_DESCRIBE_STRUCT(HostVolumeProperties, (), (source_path))
BOOST_DESCRIBE_STRUCT(Volume, (), (name, host))
BOOST_DESCRIBE_STRUCT(RuntimePlatform, (), (cpu_architecture, operating_system_family))
BOOST_DESCRIBE_STRUCT(EphemeralStorage, (), (size_in_gi_b))
BOOST_DESCRIBE_STRUCT(TaskDefinition, (),
                      (task_definition_arn, container_definitions, family, task_role_arn, execution_role_arn,
                       network_mode, revision, volumes, status, compatibilities, runtime_platform,
                       requires_compatibilities, cpu, memory, registered_at, deregistered_at, registered_by,
                       ephemeral_storage))
BOOST_DESCRIBE_STRUCT(ClusterSetting, (), (name, value))
BOOST_DESCRIBE_STRUCT(ExecuteCommandLogConfiguration, (),
                      (cloud_watch_log_group_name, cloud_watch_encryption_enabled, s3_bucket_name,
                       s3_encryption_enabled, s3_key_prefix))
BOOST_DESCRIBE_STRUCT(ExecuteCommandConfiguration, (), (logging, log_configuration))
BOOST_DESCRIBE_STRUCT(ClusterConfiguration, (), (execute_command_configuration))
BOOST_DESCRIBE_STRUCT(CapacityProviderStrategyItem, (), (capacity_provider, weight, base))
BOOST_DESCRIBE_STRUCT(AwsVpcConfiguration, (), (subnets, security_groups, assign_public_ip))
BOOST_DESCRIBE_STRUCT(LoadBalancer, (), (target_group_arn, load_balancer_name, container_name, container_port))
BOOST_DESCRIBE_STRUCT(DeploymentCircuitBreaker, (), (enable, rollback))
BOOST_DESCRIBE_STRUCT(DeploymentConfiguration, (),
                      (deployment_circuit_breaker, maximum_percent, minimum_healthy_percent, strategy,
                       bake_time_in_minutes))
BOOST_DESCRIBE_STRUCT(ServiceEvent, (), (id, created_at, message))
BOOST_DESCRIBE_STRUCT(ContainerOverride, (), (name, command, environment, cpu, memory, memory_reservation))
BOOST_DESCRIBE_STRUCT(TaskOverride, (),
                      (container_overrides, cpu, execution_role_arn, memory, task_role_arn, ephemeral_storage))

}  // namespace brume::ecs
