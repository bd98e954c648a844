"""Methods and Results of a paper, in sentences that the tables prove."""
