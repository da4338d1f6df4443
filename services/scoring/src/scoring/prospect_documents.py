"""A prospect's document: how MongoDB keeps it."""

from base64 import b64decode, b64encode

from bson import Binary, decode, encode

from leadbus.storage.mongo import Document
from scoring import crm
from scoring.crm import NOTHING
from scoring.history import Fell, History, Sum
from scoring.prospect import Alias, Handed, Key, Link, Linked, Named, Prospect, Qualified, Recent, Said


def to_document(prospect: Prospect) -> Document:
    """The prospect as MongoDB keeps it."""
    tenant_id, prospect_id = prospect.key
    document: Document = {
        "_id": document_id(prospect.key),
        "tenant_id": tenant_id,
        "prospect_id": prospect_id,
        "partition": prospect.partition,
        "version": prospect.version,
        "email": prospect.email,
        "score": prospect.score,
        "standing": prospect.standing,
        "at": prospect.at,
        "rows": Binary(prospect.history.rows),
        "sums": _of_sums(prospect.history) if prospect.history.sums else [],
        "fields": [(name, *said) for name, said in prospect.fields.items()],
        "recent": prospect.recent,
        "handed": [handed._asdict() for handed in prospect.handed],
        "qualified": [_of_qualified(qualified) for qualified in prospect.qualified.values()],
        "linked": [linked._asdict() for linked in prospect.linked.values()],
    }
    if prospect.crm:
        document["crm"] = crm.to_document(prospect.crm)
    if prospect.history.used:
        document["used"] = _of_used(prospect.history)
    if prospect.named:
        document["named"] = [
            {
                "name": name,
                "score": named.score,
                "standing": named.standing,
                "rows": Binary(named.history.rows),
                "sums": _of_sums(named.history),
                "used": _of_used(named.history),
            }
            for name, named in prospect.named.items()
        ]
    if prospect.cools_at is not None:
        document["cools_at"] = prospect.cools_at
    if prospect.aliases:
        document["aliases"] = [(name, *alias) for name, alias in prospect.aliases.items()]
    if prospect.links:
        document["links"] = [link._asdict() for link in prospect.links]
    if prospect.passed.rows:
        document["passed"] = Binary(prospect.passed.rows)
    if prospect.erased_at:
        document["erased_at"] = prospect.erased_at
    return document


def from_document(row: Document) -> Prospect:
    """The inverse of `to_document`."""
    return Prospect(
        key=Key(row["tenant_id"], row["prospect_id"]),
        partition=row["partition"],
        version=row["version"],
        email=row["email"],
        score=row["score"],
        standing=row.get("standing", 0),
        at=row["at"],
        history=_to_history(row),
        fields={name: Said(*said) for name, *said in row["fields"]},
        recent=list(map(Recent._make, row["recent"])),
        handed=[Handed(**h) for h in row["handed"]],
        qualified={q["connection_id"]: Qualified(**q) for q in row["qualified"]},
        linked={r["connection_id"]: Linked(**r) for r in row["linked"]},
        crm=crm.from_document(row["crm"]) if "crm" in row else NOTHING,
        named={n["name"]: Named(_to_history(n), n["score"], n["standing"]) for n in row.get("named", ())},
        cools_at=row.get("cools_at"),
        aliases={name: Alias(*alias) for name, *alias in row.get("aliases", ())},
        links=[Link(**link) for link in row.get("links", ())],
        passed=History(bytearray(row.get("passed", b""))),
        erased_at=row.get("erased_at", 0),
    )


def to_text(prospect: Prospect) -> str:
    """The document as BSON in base64: as it travels from an alias to its person, which looks for nothing that
    came to the alias itself."""
    document = to_document(prospect)
    document.pop("passed", None)
    return b64encode(encode(document)).decode()


def from_text(text: str) -> Prospect:
    """The inverse of `to_text`."""
    return from_document(decode(b64decode(text)))


def document_id(key: Key) -> str:
    """Of the prospect's document; a tenant's id holds no colon."""
    return f"{key.tenant_id}:{key.prospect_id}"


def _of_sums(history: History) -> list[Document]:
    return [
        fell._asdict() | {"count": s.count, "weight": _to_bytes(s.weight)} for fell, s in history.sums.items()
    ]


def _of_used(history: History) -> list[tuple[str, int, int]]:
    return [(key, *used) for key, used in history.used.items()]


def _to_history(row: Document) -> History:
    sums = {
        Fell(s["rule"], s["half_life_days"], s.get("day", 0)): Sum(
            s["count"], int.from_bytes(s["weight"], "big", signed=True)
        )
        for s in row["sums"]
    }
    used = {key: (period, spent) for key, period, spent in row.get("used", ())}
    return History(bytearray(row["rows"]), sums, used)


def _of_qualified(qualified: Qualified) -> Document:
    connection_id, threshold, at, trace_id, number, cooled = qualified
    document: Document = {
        "connection_id": connection_id,
        "threshold": threshold,
        "at": at,
        "trace_id": trace_id,
    }
    if number > 1:
        document["number"] = number
    if cooled is not None:
        document["cooled"] = cooled
    return document


def _to_bytes(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
