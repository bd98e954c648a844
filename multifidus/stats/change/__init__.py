"""What changed between exams, held against measurement error and tested in groups."""
