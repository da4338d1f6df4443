"""What API keys may do."""

from enum import StrEnum


class Scope(StrEnum):
    """What a key may do.

    ingest: post facts. read: ask. administer: connections, keys and addresses of its tenant.
    hook: stand in the URL of one connection's hook, and nothing else. supplier: ask what became of the
    leads that one supplier handed over, and nothing else.
    """

    INGEST = "ingest"
    READ = "read"
    ADMINISTER = "administer"
    HOOK = "hook"
    SUPPLIER = "supplier"
