"""The `query` and `order_by` of a SOAP call: Sugar's checks, and MySQL's spelling turned into SQLite's."""

import re
from collections.abc import Iterator

from .modules import Module
from .soapfault import database_failure, fault

_TOKEN = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")"""
    r"|(?P<forbidden>;|--|/\*|\#)|(?P<word>`?[A-Za-z_]\w*`?)|(?P<space>\s+)|(?P<other>\d[\w.]*|.)",
    re.DOTALL,
)
# Never part of a WHERE: Sugar refuses what adds a clause (UNION measured, the others read in its source).
_CLAUSES = frozenset({"UNION", "LIMIT", "ORDER", "GROUP", "HAVING", "INTO", "PROCEDURE", "FOR"})
_SUBQUERY_TABLES = frozenset(
    {
        "email_addr_bean_rel",
        "email_addresses",
        "emails",
        "emails_beans",
        "emails_text",
        "teams",
        "team_sets_teams",
    }
)
_ESCAPED = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a", "%": "\\%", "_": "\\_"}
_ORDER = re.compile(r"([A-Za-z_]\w*)(?:\s+(asc|desc))?", re.IGNORECASE)

Token = tuple[str, str]


def where(query: str, module: Module, *, prefixed: bool) -> str:
    """The query for SQLite. Raises fault 40 for what Sugar refuses, -1 for bare names where `prefixed`."""
    tokens = list(_tokens(query))
    _check(tokens)
    if prefixed:
        _check_prefixes(tokens, module)
    pieces: list[str] = []
    after_like = False
    for kind, text in tokens:
        if kind == "string":
            pieces.append(_literal(text) + (r" ESCAPE '\'" if after_like else ""))
        else:
            pieces.append(text)
        if kind != "space":
            after_like = text.upper() == "LIKE"
    return "".join(pieces)


def order(order_by: str, module: Module) -> str:
    """ORDER BY terms. Only bare names of the module's own columns count, the rest is silently ignored."""
    _check(list(_tokens(order_by)))
    terms = []
    for term in order_by.split(","):
        match = _ORDER.fullmatch(term.strip())
        field = module.fields.get(match[1]) if match else None
        if match and field and field.source != "computed":
            table = module.table if field.source == "db" else module.custom_table
            terms.append(f"{table}.{field.name} {match[2] or ''}")
    # InnoDB walks the primary key, so that without an order the ids decide.
    return ", ".join([*terms, f"{module.table}.id"])


def _tokens(query: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(query):
        yield str(match.lastgroup), match[0]


def _check(tokens: list[Token]) -> None:
    significant = [(kind, text.strip("`")) for kind, text in tokens if kind != "space"]
    lists_tables = table_is_next = False
    for index, (kind, text) in enumerate(significant):
        word = text.upper() if kind == "word" else text
        if kind == "forbidden" or word in _CLAUSES:
            raise fault(40)
        before = [part.upper() for _, part in significant[max(0, index - 2) : index]]
        if word == "SELECT" and before != ["IN", "("]:
            raise fault(40)
        if table_is_next and text.lower() not in _SUBQUERY_TABLES:
            raise fault(40)
        lists_tables = word in {"FROM", "JOIN"} or (lists_tables and word not in {"ON", "WHERE", ")"})
        table_is_next = word in {"FROM", "JOIN"} or (lists_tables and word == ",")


def _check_prefixes(tokens: list[Token], module: Module) -> None:
    """From v4 on the statement joins other tables, so that a bare column is ambiguous."""
    significant = [("", ""), *((kind, text) for kind, text in tokens if kind != "space"), ("", "")]
    depth, subquery_depth = 0, None
    for index, (kind, text) in enumerate(significant[1:-1], start=1):
        depth += (text == "(") - (text == ")")
        if text.upper() == "SELECT" and subquery_depth is None:
            subquery_depth = depth
        if subquery_depth is not None:
            subquery_depth = subquery_depth if depth >= subquery_depth else None
            continue
        bare = significant[index - 1][1] != "." and significant[index + 1][1] not in {".", "("}
        if kind == "word" and bare and text.strip("`") in module.fields:
            raise database_failure()


def _literal(text: str) -> str:
    quote = text[0]
    inner = text[1:-1].replace(quote * 2, quote)
    inner = re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), inner, flags=re.DOTALL)
    return "'" + inner.replace("'", "''") + "'"
