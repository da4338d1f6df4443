"""Stands in for the world on one machine: servers, CRMs, upstream traffic; imports nothing of the product."""
