"""Reading sessions: who reads what in which order, blinded or not; what comes back is merged."""
