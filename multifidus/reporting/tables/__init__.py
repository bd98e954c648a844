"""Tables of a paper: reliability, change, agreement of outlines, exclusions."""
