"""Upstream: people who visit, click and fill in forms, suppliers who hand over leads; and what was sent."""
