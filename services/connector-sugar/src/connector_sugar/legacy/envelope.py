"""Rows out of a SOAP answer, without zeep: of large answers its objects cost most of the time.

Read here is exactly what get_entry_list and get_relationships answer, as recorded: v4 and v4_1 wrap each
level of the related rows in a struct of one member, v2 has bare arrays within arrays.
"""

from lxml import etree

from connector_sugar.legacy.operations import Row, Rows, plain

ROWS = frozenset({"get_entry_list", "get_relationships"})
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def rows(content: bytes) -> Rows | None:
    """The rows, None for an answer of nothing.

    Raises:
        ValueError, LookupError, etree.LxmlError: this is no such answer.
    """
    # A fresh one for each answer: a parser's dictionary of names never shrinks.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a document type")
    result = root[-1][0][0]
    if result.get(_NIL):
        return None
    parts = {part.tag: part for part in result}
    if parts["entry_list"].get(_NIL):
        return None
    linked = [_linked(item) for item in parts.get("relationship_list", ())]
    total = parts.get("total_count")
    return Rows(
        [
            Row(item[0].text or "", _values(item[2]), linked[at] if at < len(linked) else {})
            for at, item in enumerate(parts["entry_list"])
        ],
        int(total.text) if total is not None and total.text else None,
    )


def _values(pairs: etree._Element) -> dict[str, str]:
    return {name.text or "": plain(value.text or "") for name, value in pairs}


def _linked(item: etree._Element) -> dict[str, list[dict[str, str]]]:
    links = item[0] if len(item) and item[0].tag == "link_list" else item
    return {
        link[0].text or "": [
            _values(record[0] if len(record) and record[0].tag == "link_value" else record)
            for record in link[1]
        ]
        for link in links
    }
