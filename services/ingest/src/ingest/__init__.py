"""Ingest: the HTTP edge. Authenticates, validates, answers per item, publishes."""
