"""What Leadbus is made of: a bill of materials, licences, and advisories that are known of what it stands on.

`PYTHONPATH=deploy python -m supply_chain FOLDER` (make supply-chain).
"""
