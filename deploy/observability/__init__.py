"""What is watched, as code: service levels, alerts and dashboards over what `leadbus.telemetry` declares.

`PYTHONPATH=deploy python -m observability [FOLDER]` (make docs) writes it below deploy/k8s.
"""
