"""A run over a cohort: a folder of finished cases, and the tables that are assembled from them."""
