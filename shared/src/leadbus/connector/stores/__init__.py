"""What the kit remembers, each collection with one writer: the connector it belongs to.

`connections` settings and health · `deliveries` what is owed · `links` prospect <-> record ·
`leases` who works which organisation · `pulls` cursors and what was seen · `watches` who pushes to us ·
`credits` calls of a day.
"""
