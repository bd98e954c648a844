"""Looking for what identifies persons in files that are about to be shared."""
