"""Fat fraction: pixels and weights, references, thresholds, and their quality flags."""
