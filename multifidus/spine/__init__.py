"""Levels: which vertebra or disc a slice shows, by landmarks and by what was typed."""
