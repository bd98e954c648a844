"""Benchmarks: accuracy against truth and peers, speed and memory beside peers in one run."""
