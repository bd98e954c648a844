"""Fat fraction: pixels and weights, references, thresholds, and what is doubtful about them."""
