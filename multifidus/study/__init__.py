"""A cohort: its cases, its rows, what is missing, and the folder that holds the results."""
