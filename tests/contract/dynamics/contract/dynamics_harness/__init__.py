"""Dynamics's simulator as the contract suite wants it."""
