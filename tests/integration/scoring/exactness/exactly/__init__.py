"""Random schedules of what happens to scoring, and what must come of them."""
