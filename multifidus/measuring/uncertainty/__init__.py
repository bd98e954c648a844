"""Uncertainty of every area and fat value, with its parts."""
