"""What Sugar does to text on its way in and out (measured on SuiteCRM 7.12.5)."""

import html
import re

from .modules import Field

_ENCODED = str.maketrans({"'": "&#039;", '"': "&quot;", "<": "&lt;", ">": "&gt;"})
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);")
_FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
_WITH_CONTENT = re.compile(r"<(script|style|iframe|object)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*)(>|(?=<)|$)")
_VOID = frozenset({"br", "hr", "img"})
_KEPT = _VOID | frozenset(
    {"a", "abbr", "b", "blockquote", "code", "div", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "i"}
    | {"li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "u", "ul"}
    | {"table", "tbody", "td", "th", "thead", "tr"}
)
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_FALSE = frozenset({"", "0", "false", "off", "no"})


def encode(value: str) -> str:
    """A stored text as Sugar shows it: four characters become entities, `&` stays."""
    return value.translate(_ENCODED)


def decode(value: str) -> str:
    return value if "&" not in value else _ENTITY.sub(lambda match: html.unescape(match[0]), value)


def clean(value: str) -> str:
    """HTML clean-up on save: scripts go with their content, unknown and unclosed tags go, the rest stays."""
    if "<" not in value:
        return value
    value = _WITH_CONTENT.sub("", value)
    matches = list(_TAG.finditer(value))
    opened: dict[str, list[re.Match[str]]] = {}
    keep: set[int] = set()
    for match in matches:
        closing, name, end = match[1], match[2].lower(), match[4]
        if name not in _KEPT or end != ">":
            continue
        if name in _VOID:
            keep.add(match.start())
        elif not closing:
            opened.setdefault(name, []).append(match)
        elif opened.get(name):
            keep.update((opened[name].pop().start(), match.start()))
    return _TAG.sub(lambda match: match[0] if match.start() in keep else "", value)


def stored(field: Field, raw: str) -> str | int | float | None:
    """A value as its column keeps it; what does not fit is altered or dropped without a word."""
    if field.type in {"datetime", "date"}:
        return _moment(field.type, raw)
    if field.type == "bool":
        return int(raw.strip().lower() not in _FALSE)
    if field.type in {"int", "currency", "double"}:
        try:
            number = float(raw)
        except ValueError:
            return None
        return int(number) if field.type == "int" else number
    value = _FOUR_BYTES.sub("?", clean(decode(raw)).replace("\r\n", "\n"))
    return value if field.length is None else value[: field.length]


def shown(value: object) -> str:
    """A column's value as SOAP carries it: always text, null as the empty text."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    return encode(str(value))


def _moment(kind: str, raw: str) -> str | None:
    """`Y-m-d H:i:s` or `Y-m-d`; everything else (ISO, no seconds) is null."""
    if _DATE.fullmatch(raw):
        return raw if kind == "date" else f"{raw} 00:00:00"
    if _DATETIME.fullmatch(raw):
        return raw[:10] if kind == "date" else raw
    return None
