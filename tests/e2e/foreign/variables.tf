variable "region" {
  type    = string
  default = "eu-west-1"
}

variable "environment" {
  description = "A default tag: of everything"
  type        = string
  default     = "first"
}

variable "stage" {
  type    = number
  default = 1
}

variable "weights" {
  type    = map(number)
  default = { blue = 1, green = 1 }
}

variable "stickiness" {
  type    = bool
  default = false
}

variable "peers" {
  description = "Who may reach the services directly: block => description"
  type        = map(string)
  default     = { "192.0.2.0/24" = "nobody" }
}

variable "partners" {
  description = "Blocks that are routed to the NAT gateway, by way of a prefix list"
  type        = list(string)
  default     = ["198.18.0.0/26", "203.0.113.0/24"]
}
