"""SugarCRM's older family: SOAP v2, v4 and v4_1, and REST v4_1 - one set of operations in two encodings."""

from connector_sugar.legacy.site import LegacySite

__all__ = ["LegacySite"]
