"""Erasing and exporting one person: one way for every service (docs/privacy.md).

`holdings` what a service holds of a person, to be erased or exported · `tombstones` who was erased and when
· `handler` the consumer's side · `routes` the export · `erasing` all of it put together
"""
