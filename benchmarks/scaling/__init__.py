"""What a cohort of 100,000 exams would take: simulated, from what a few hundred take here."""
