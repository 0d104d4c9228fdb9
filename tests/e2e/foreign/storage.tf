data "aws_iam_policy_document" "assume" {
  for_each = {
    execution = "ecs-tasks.amazonaws.com"
    flows     = "vpc-flow-logs.amazonaws.com"
  }

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

data "aws_iam_policy_document" "flows" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]
    resources = ["${aws_cloudwatch_log_group.flows.arn}:*"]
  }
}

# Everything but one prefix of one bucket.
data "aws_iam_policy_document" "endpoint" {
  statement {
    sid       = "All"
    actions   = ["*"]
    resources = ["*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }

  dynamic "statement" {
    for_each = local.later ? ["closed/*"] : ["denied/*"]
    content {
      effect    = "Deny"
      actions   = ["s3:GetObject"]
      resources = ["${local.arn}:s3:::${local.name}-data-${data.aws_caller_identity.current.account_id}/${statement.value}"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }
    }
  }
}

resource "aws_iam_role" "execution" {
  name_prefix        = "${local.name}-execution-"
  assume_role_policy = data.aws_iam_policy_document.assume["execution"].json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "${local.arn}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "flows" {
  name_prefix        = "${local.name}-flows-"
  assume_role_policy = data.aws_iam_policy_document.assume["flows"].json
}

resource "aws_iam_role_policy" "flows" {
  name_prefix = "write-"
  role        = aws_iam_role.flows.id
  policy      = data.aws_iam_policy_document.flows.json
}

resource "aws_cloudwatch_log_group" "flows" {
  name_prefix       = "/vpc/${local.name}-"
  retention_in_days = local.later ? 7 : 1
}

resource "aws_cloudwatch_log_group" "services" {
  name              = "/ecs/${local.name}"
  retention_in_days = 1
}

resource "aws_s3_bucket" "this" {
  for_each      = toset(["data", "flows"])
  bucket        = "${local.name}-${each.key}-${data.aws_caller_identity.current.account_id}"
  force_destroy = true
  tags          = { Name = each.key }
}

resource "aws_dynamodb_table" "this" {
  name         = local.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_ecr_repository" "this" {
  name         = local.name
  force_delete = true
}

resource "aws_ecs_cluster" "this" {
  name = local.name

  dynamic "setting" {
    for_each = { containerInsights = local.later ? "enabled" : "disabled" }
    content {
      name  = setting.key
      value = setting.value
    }
  }
}
