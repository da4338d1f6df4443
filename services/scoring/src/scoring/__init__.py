"""Scoring owns the state of a prospect: its history, its score, and for which connections it is qualified."""
