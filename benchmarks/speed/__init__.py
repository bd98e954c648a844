"""Speed and memory, always as a ratio to a peer doing the same job in the same run."""
