# A container service behind a load balancer, as one would write it for AWS.
terraform {
  required_version = ">= 1.11"

  # The bucket's name comes with `terraform init -backend-config=bucket=…`, from ../bootstrap.
  backend "s3" {
    key          = "hello/terraform.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      Project     = var.name
      Environment = "rehearsal"
      ManagedBy   = "terraform"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  zones = slice(data.aws_availability_zones.available.names, 0, 2)
}
