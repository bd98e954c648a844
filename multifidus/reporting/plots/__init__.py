"""Figures of a study for its report and for a paper, drawn without a screen."""
