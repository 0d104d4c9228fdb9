output "url" {
  value = "http://${aws_lb.main.dns_name}"
}

output "load_balancer_name" {
  value = aws_lb.main.dns_name
}

output "repository_url" {
  value = aws_ecr_repository.service.repository_url
}

output "nat_address" {
  value = aws_eip.nat.public_ip
}

output "target_group_arn" {
  value = aws_lb_target_group.service.arn
}
