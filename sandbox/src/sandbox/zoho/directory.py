"""All operations of the API; of two whose addresses fit, the first answers."""

from . import (
    bulk,
    composite,
    converting,
    coql,
    listing,
    notifications,
    records,
    related,
    search,
    settings,
    tagging,
)
from .operations import Directory

_OPERATIONS = (
    *settings.OPERATIONS,
    *coql.OPERATIONS,
    *notifications.OPERATIONS,
    *bulk.OPERATIONS,
    *search.OPERATIONS,
    *converting.OPERATIONS,
    *related.OPERATIONS,
    *tagging.OPERATIONS,
    *records.OPERATIONS,
    *listing.OPERATIONS,
)
DIRECTORY = Directory((composite.operation(Directory(_OPERATIONS)), *_OPERATIONS))
