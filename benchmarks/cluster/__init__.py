"""Cohorts measured by each engine, and while what measures them is killed."""
