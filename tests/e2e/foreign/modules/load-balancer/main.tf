# An application load balancer: target groups, listeners and rules by maps.
resource "aws_lb" "this" {
  name_prefix                = "fgn-"
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnets
  security_groups            = var.security_groups
  idle_timeout               = var.idle_timeout
  drop_invalid_header_fields = true
  enable_deletion_protection = false
  tags                       = merge({ Name = var.name }, var.tags)

  timeouts {
    create = "10m"
  }
}

resource "aws_lb_target_group" "this" {
  for_each = var.target_groups

  name_prefix          = each.value.prefix
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = each.value.port
  deregistration_delay = 1

  health_check {
    path                = each.value.path
    matcher             = "200-299"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  stickiness {
    enabled = false
    type    = "lb_cookie"
  }

  tags = merge({ Name = each.key }, var.tags)

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "this" {
  for_each = { http = 80, other = 8080 }

  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = each.value

  dynamic "default_action" {
    for_each = each.key == "http" ? [] : [1]
    content {
      type = "redirect"

      redirect {
        port        = "80"
        protocol    = "HTTP"
        status_code = "HTTP_301"
      }
    }
  }

  dynamic "default_action" {
    for_each = each.key == "http" ? [1] : []
    content {
      type = "fixed-response"

      fixed_response {
        content_type = "text/plain"
        message_body = "nothing here"
        status_code  = "404"
      }
    }
  }

  tags = var.tags
}

resource "aws_lb_listener_rule" "this" {
  for_each = var.rules

  listener_arn = aws_lb_listener.this["http"].arn
  priority     = each.value.priority

  dynamic "action" {
    for_each = [for action in [each.value.action] : action if action.type == "fixed-response"]
    content {
      type = "fixed-response"

      fixed_response {
        content_type = "text/plain"
        message_body = action.value.body
        status_code  = action.value.status
      }
    }
  }

  dynamic "action" {
    for_each = [for action in [each.value.action] : action if action.type == "redirect"]
    content {
      type = "redirect"

      redirect {
        host        = action.value.host
        path        = action.value.path
        query       = action.value.query
        status_code = action.value.status
      }
    }
  }

  dynamic "action" {
    for_each = [for action in [each.value.action] : action if action.type == "forward"]
    content {
      type             = "forward"
      target_group_arn = aws_lb_target_group.this[action.value.group].arn
    }
  }

  dynamic "action" {
    for_each = [for action in [each.value.action] : action if action.type == "weighted"]
    content {
      type = "forward"

      forward {
        dynamic "target_group" {
          for_each = var.weights
          content {
            arn    = aws_lb_target_group.this[target_group.key].arn
            weight = target_group.value
          }
        }

        dynamic "stickiness" {
          for_each = var.stickiness ? [60] : []
          content {
            enabled  = true
            duration = stickiness.value
          }
        }
      }
    }
  }

  dynamic "condition" {
    for_each = try([each.value.conditions.path], [])
    content {
      path_pattern { values = condition.value }
    }
  }

  dynamic "condition" {
    for_each = try([each.value.conditions.host], [])
    content {
      host_header { values = condition.value }
    }
  }

  dynamic "condition" {
    for_each = try([each.value.conditions.method], [])
    content {
      http_request_method { values = condition.value }
    }
  }

  dynamic "condition" {
    for_each = try([each.value.conditions.source], [])
    content {
      source_ip { values = condition.value }
    }
  }

  dynamic "condition" {
    for_each = try([each.value.conditions.header], [])
    content {
      http_header {
        http_header_name = condition.value.name
        values           = condition.value.values
      }
    }
  }

  dynamic "condition" {
    for_each = try([each.value.conditions.query], [])
    content {
      dynamic "query_string" {
        for_each = condition.value
        content {
          key   = query_string.value.key
          value = query_string.value.value
        }
      }
    }
  }

  tags = merge({ Name = each.key }, var.tags)
}

output "arn" { value = aws_lb.this.arn }
output "dns_name" { value = aws_lb.this.dns_name }
output "target_groups" { value = { for key, group in aws_lb_target_group.this : key => group.arn } }
