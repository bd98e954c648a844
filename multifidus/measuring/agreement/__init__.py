"""Agreement of two outlines: overlap, and distances between their borders."""
