"""The `leadbus` command."""

from leadbus.cli.main import main

__all__ = ["main"]
