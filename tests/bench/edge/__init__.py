"""What takes events in over HTTP, and what posts them.

`application` ingest by hand: the yardstick · `load` many connections that post · `posted` the bodies ·
`contest` both in turn, on the same Kafka.
"""
