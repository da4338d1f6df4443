"""`make bench`: figures that Leadbus has to reach, each measured beside what it is compared with.

Everything is real: Kafka, MongoDB, the connector as a process of its own, a CRM in another one over sockets.
`figure` what is measured and told · `stage` the servers and processes · `facts` what goes in and comes out ·
`plugins` the sequential clients to compare with · `contest`, `reference_scoring`, `scoring_service` and
`peers` programs that score the same events in turn · `figures` one module for each measurement.
"""
