"""Numbers made of others: ratios, sides, regions, volumes; and what a rater stated."""
