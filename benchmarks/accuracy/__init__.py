"""Accuracy against analytic truth and independent tools."""
