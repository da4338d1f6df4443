"""The settings of a connection as a page of documentation."""

import json
from collections.abc import Iterable

from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.schema import Setting, rows_of

_HEAD = """# Settings of a connection to {crm}

{products}
Generated from the settings themselves (`make docs`). `leadbus connections settings {crm}` shows the same.

A setting marked *to save* must be given when the connection is saved; one marked *to turn on* may be empty
until then. Secrets are stored encrypted and shown as asterisks. Dots lead into sections, `[]` stands for each
member of a list.
"""


def settings_page(kind: type[ConnectionSettings]) -> str:
    """Markdown: a table for what stands alone, and one for each section."""
    crm = str(kind.model_fields["crm"].default)
    parts = [_HEAD.format(crm=crm, products=_products(kind))]
    sections: dict[str, list[Setting]] = {"": []}
    for row in rows_of(kind):
        inside = "." in row.path or row.type.startswith("section")
        section = row.path.partition(".")[0].removesuffix("[]") if inside else ""
        sections.setdefault(section, []).append(row)
    for section, rows in sections.items():
        if section:
            parts.append(f"## {section}\n")
        parts.append(_table(rows))
    return "\n".join(parts)


def _products(kind: type[ConnectionSettings]) -> str:
    supported = [f"- {product}" for product in kind.supported]
    unsupported = [f"- {product}: not supported" for product in kind.unsupported]
    lines = ["What can be connected:\n", *supported, *unsupported, ""]
    return "\n".join(lines) if kind.supported else ""


def _table(rows: Iterable[Setting]) -> str:
    lines = ["| setting | type | default | allowed | needed | what it is |", "| --- " * 6 + "|"]
    for row in rows:
        kind = row.type + (" (stored encrypted)" if row.secret else "")
        default = "" if row.default is None else f"`{json.dumps(row.default)}`"
        cells = (f"`{row.path}`", kind, default, row.allowed, row.needed, row.help)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
