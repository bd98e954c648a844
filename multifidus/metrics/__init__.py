"""What is computed from pixels and their weights."""
