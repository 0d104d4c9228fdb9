variable "name" {
  description = "Prefix of every resource's name."
  type        = string
  default     = "hello"
}

variable "vpc_cidr" {
  type    = string
  default = "10.20.0.0/16"
}

variable "image_tag" {
  description = "Tag of the image in the service's repository."
  type        = string
  default     = "v1"
}

variable "desired_count" {
  type    = number
  default = 2
}

variable "greeting" {
  type    = string
  default = "Hello from the ground"
}
