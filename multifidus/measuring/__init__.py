"""From outlines on an exam to rows of numbers, in the order in which it happens."""
