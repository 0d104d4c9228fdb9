# A service on Fargate; with an init container, one that must have succeeded, a healthy sidecar, volumes and tmpfs.
locals {
  logs = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = var.log_group
      awslogs-region        = var.region
      awslogs-stream-prefix = var.name
    }
  }
  main = {
    name             = "web"
    image            = var.image
    essential        = true
    command          = ["serve"]
    portMappings     = [{ containerPort = 8000, protocol = "tcp" }]
    environment      = [for name, value in var.environment : { name = name, value = value }]
    logConfiguration = local.logs
    mountPoints      = var.with_init_and_sidecar ? [{ sourceVolume = "shared", containerPath = "/shared", readOnly = true }] : []
    dependsOn = var.with_init_and_sidecar ? [
      { containerName = "prepare", condition = "SUCCESS" },
      { containerName = "complete", condition = "COMPLETE" },
      { containerName = "sidecar", condition = "HEALTHY" },
    ] : []
  }
  helpers = [for helper in [
    {
      name             = "prepare"
      image            = var.image
      essential        = false
      command          = ["write", "/shared/prepared", "by prepare"]
      mountPoints      = [{ sourceVolume = "shared", containerPath = "/shared", readOnly = false }]
      logConfiguration = local.logs
    },
    {
      # Its failure is no obstacle: it only has to have run to its end.
      name        = "complete"
      image       = var.image
      essential   = false
      command     = ["write", "/absent/directory", "nothing"]
      dependsOn   = [{ containerName = "prepare", condition = "START" }]
      mountPoints = []
    },
    {
      name        = "sidecar"
      image       = var.image
      essential   = false
      command     = ["hold", "/scratch/alive"]
      healthCheck = { command = ["CMD", "/server", "check", "/scratch/alive"], interval = 5, timeout = 2, retries = 3 }
      dependsOn   = [{ containerName = "prepare", condition = "SUCCESS" }]
      mountPoints = [{ sourceVolume = "shared", containerPath = "/shared", readOnly = true }]
      linuxParameters = {
        tmpfs = [{ containerPath = "/scratch", size = 16, mountOptions = ["noexec"] }]
      }
      readonlyRootFilesystem = true
    },
  ] : helper if var.with_init_and_sidecar]
}

resource "aws_ecs_task_definition" "this" {
  family                   = "foreign-${var.name}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = var.execution_role_arn
  container_definitions    = jsonencode(concat([local.main], local.helpers))

  dynamic "volume" {
    for_each = var.with_init_and_sidecar ? ["shared"] : []
    content {
      name = volume.value
    }
  }

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  tags = merge({ Name = var.name }, var.tags)
}

resource "aws_ecs_service" "this" {
  name                               = var.name
  cluster                            = var.cluster_arn
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = false

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  deployment_controller {
    type = "ECS"
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = var.security_groups
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = "web"
    container_port   = 8000
  }

  tags = merge({ Name = var.name }, var.tags)
}
