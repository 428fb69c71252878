"""What people say of a run's clusters: sheets for them, what comes back, and what it comes to."""
