"""Stands in for the world on one machine; imports nothing of Leadbus."""
