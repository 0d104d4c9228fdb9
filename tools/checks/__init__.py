"""What tools/tidy checks, one module per kind."""
