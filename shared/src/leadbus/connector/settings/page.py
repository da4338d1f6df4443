"""The settings of a connection as pages of documentation: what all CRMs share, and each CRM's own."""

import json
from collections.abc import Iterable

from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.schema import Setting, rows_of

_HEAD = """# Settings of a connection

What every connection has, whatever its CRM. What belongs to one CRM alone, such as how Leadbus gets into it:
{pages}.

Generated from the settings themselves (`make docs`); `leadbus connections settings {first}` shows the same.

A setting marked *to save* must be given when the connection is saved; one marked *to turn on* may be empty
until then. Secrets are stored encrypted and shown as asterisks. Dots lead into sections, `[]` stands for each
member of a list.
"""

_HEAD_OF_ONE = """# Settings of a connection to {crm}

{products}
Generated from the settings themselves (`make docs`). These are the CRM's own; what every connection has
stands in [Settings of a connection](../settings.md). `leadbus connections settings {crm}` shows all of them.
"""


def common_page(kinds: Iterable[type[ConnectionSettings]]) -> str:
    """Markdown: what all of them share. kinds: whose pages it leads to."""
    crms = [_crm(kind) for kind in kinds]
    pages = ", ".join(f"[{crm}](settings/{crm}.md)" for crm in crms)
    return "\n".join([_HEAD.format(pages=pages, first=crms[0]), *_tables(rows_of(ConnectionSettings))])


def settings_page(kind: type[ConnectionSettings]) -> str:
    """Markdown: what one CRM has that others have not, or have otherwise."""
    shared = {row.path: row for row in rows_of(ConnectionSettings)}
    own = [row for row in rows_of(kind) if shared.get(row.path) != row]
    head = _HEAD_OF_ONE.format(crm=_crm(kind), products=_products(kind))
    return "\n".join([head, *_tables(own)])


def _crm(kind: type[ConnectionSettings]) -> str:
    return str(kind.model_fields["crm"].default)


def _products(kind: type[ConnectionSettings]) -> str:
    supported = [f"- {product}" for product in kind.supported]
    unsupported = [f"- {product}: not supported" for product in kind.unsupported]
    lines = ["What can be connected:\n", *supported, *unsupported, ""]
    return "\n".join(lines) if kind.supported else ""


def _tables(rows: Iterable[Setting]) -> Iterable[str]:
    """One for what stands alone, and one for each section."""
    sections: dict[str, list[Setting]] = {"": []}
    for row in rows:
        inside = "." in row.path or row.type.startswith("section")
        section = row.path.partition(".")[0].removesuffix("[]") if inside else ""
        sections.setdefault(section, []).append(row)
    for section, members in sections.items():
        if section:
            yield f"## {section}\n"
        yield _table(members)


def _table(rows: Iterable[Setting]) -> str:
    lines = ["| setting | type | default | allowed | needed | what it is |", "| --- " * 6 + "|"]
    for row in rows:
        kind = row.type + (" (stored encrypted)" if row.secret else "")
        default = "" if row.default is None else f"`{json.dumps(row.default)}`"
        cells = (f"`{row.path}`", kind, default, row.allowed, row.needed, row.help)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
