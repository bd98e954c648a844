"""Pages of a report: one of the study and one of each subject."""
