"""Why a row of the CRM cannot be taken in: each reason with its root, and none without a reason."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leadbus.connector.api.reporting import ErrorRow, grouped
from leadbus.connector.capabilities import Capabilities
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import Account, Opportunity, Person
from leadbus.connector.link import Link, LinkState
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.problems import CHECKS, SKIPPED, problem_of
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.stores.mirror import MirrorRow, RowProblem
from leadbus.connector.taking.known import Known
from leadbus.messages import Record

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
CAPABILITIES = Capabilities(
    crm="any",
    modules={"lead": ("Leads",), "contact": ("Contacts",), "account": ("Accounts",)},
    fields={"lead": {"last_name": "Last", "company": "Company"}, "contact": {"last_name": "Last"}},
    required={"lead": frozenset({"last_name", "company"}), "contact": frozenset({"last_name"})},
    new_lead_status="New",
    rows_per_write=1,
    rows_per_read=1,
    concurrent_calls=1,
    own_ids=True,
)


class Settings(ConnectionSettings):
    """Of no CRM in particular."""

    @property
    def organisation_id(self) -> str:
        return "any"

    @property
    def address(self) -> str:
        return ""


SETTINGS = Settings(connection_id="one", tenant_id="acme", access={})
CONNECTION = Connection(SETTINGS, "any", True, 1, Health(HealthState.WELL, "", AT))
KNOWN = Known(CONNECTION, CAPABILITIES, FieldMap.of(SETTINGS, CAPABILITIES), AT)


def record(module, key):
    return Record(module=module, id=key)


def mirrored(kind, module, key, **members):
    return MirrorRow("one", record(module, key), kind, **members)


def person(kind="contact", key="p1", **members):
    members = {"email": "ann@example.com", "values": {"Last": "A", "Company": "B"}} | members
    module = {"lead": "Leads", "contact": "Contacts", "target": "Targets"}[kind]
    return Person(record(module, key), kind=kind, **members)


def found(row, kind, **known):
    problem = problem_of(row, kind, replace(KNOWN, **known))
    return problem and (problem.code, problem.root and problem.root.id, problem.blocking)


IN_ERROR = RowProblem("no_owner", "account", "It has no user.", "Assign one.", AT)
BROKEN = mirrored("account", "Accounts", "a1", problem=IN_ERROR)
GONE = mirrored("account", "Accounts", "a1", deleted=True)
INACTIVE = mirrored("user", "Users", "u1", active=False)
DISMISSED = mirrored("user", "Users", "u1", deleted=True)
DEPENDENT = RowProblem(
    "account_in_error", "contact", "Its account.", "Correct it.", AT, root=record("Accounts", "a1")
)
DEAL = Opportunity(record("Deals", "o1"), name="Big", contact_ids=("p1",))


@pytest.mark.parametrize(
    ("row", "kind", "known", "expected"),
    [
        (person(), "contact", {}, None),
        (person(email=None), "contact", {}, ("no_email", None, True)),
        (person(email="none given"), "contact", {}, ("invalid_email", None, True)),
        (person(values={"Last": ""}), "contact", {}, ("missing_field", None, False)),
        (person("lead", values={"Last": "A", "Company": ""}), "lead", {}, ("missing_field", None, False)),
        (person("lead", values={"Last": "A", "Company": ""}, account_id="a9"), "lead", {}, None),
        (person(account_id="a1"), "contact", {"accounts": {}}, None),
        (person(account_id="a1"), "contact", {"accounts": {"a1": BROKEN}}, ("account_in_error", "a1", False)),
        (person(account_id="a1"), "contact", {"accounts": {"a1": GONE}}, ("account_deleted", "a1", False)),
        (person(owner_id="u1"), "contact", {"users": {"u1": INACTIVE}}, ("owner_inactive", "u1", False)),
        (Account(record("Accounts", "a1"), name="A"), "account", {}, ("no_owner", None, True)),
        (Account(record("Accounts", "a1"), owner_id="u9", name="A"), "account", {}, None),
        (
            Account(record("Accounts", "a1"), owner_id="u1", name="A"),
            "account",
            {"users": {"u1": DISMISSED}},
            ("owner_deleted", "u1", True),
        ),
        (DEAL, "opportunity", {}, None),
        (replace(DEAL, contact_ids=()), "opportunity", {}, None),
        (
            DEAL,
            "opportunity",
            {"people": {"p1": mirrored("contact", "Contacts", "p1", deleted=True)}},
            ("contact_deleted", "p1", True),
        ),
        (
            DEAL,
            "opportunity",
            {"people": {"p1": mirrored("contact", "Contacts", "p1", problem=DEPENDENT)}},
            ("contact_in_error", "a1", True),
        ),
        (
            replace(DEAL, account_id="a1"),
            "opportunity",
            {"accounts": {"a1": BROKEN}},
            ("account_in_error", "a1", True),
        ),
    ],
)
def test_each_reason_is_found_with_its_root_and_nothing_else(row, kind, known, expected):
    assert found(row, kind, **known) == expected


def test_of_several_records_with_one_email_the_oldest_open_one_is_taken_and_a_linked_one_before_all():
    old = person("lead", "old", created_at=AT, open=False)
    young = person("lead", "young", created_at=LATER)
    twins = {"ann@example.com": [old, young]}
    assert found(young, "lead", twins=twins) is None
    assert found(old, "lead", twins=twins) == ("several_matches", "young", True)
    link = Link("any", "p", "acme", old.record, LinkState.LINKED, AT, "matched", "one")
    assert found(old, "lead", twins=twins, links={"old": [link]}) is None
    assert found(young, "lead", twins=twins, links={"old": [link]}) == ("several_matches", "old", True)


def test_a_target_beside_a_lead_is_no_second_match():
    lead, target = person("lead", "l", created_at=LATER), person("target", "t", created_at=AT)
    twins = {"ann@example.com": [lead, target]}
    assert found(lead, "lead", twins=twins) is None
    assert found(target, "target", twins=twins) is None


def test_every_reason_says_what_to_do_and_names_no_value_of_the_record():
    for check in CHECKS:
        assert check.reason.endswith(".")
        assert check.advice.endswith(".")
    problem = problem_of(person(email="somebody's secret"), "contact", KNOWN)
    assert "secret" not in problem.reason + problem.advice
    assert {check.code for check in CHECKS} >= SKIPPED


def error(key, kind="contact", root=None, direction="from_crm", since=AT):
    known_root = record("Accounts", root) if root else None
    return ErrorRow(
        f"record:{key}", direction, kind, "Reason.", since, record=record("Accounts", key), root=known_root
    )


def test_dependents_stand_under_the_root_at_the_end_of_their_chain():
    rows = [error("deal", "opportunity", "ann"), error("ann", root="acme"), error("acme", "account")]
    (group,) = grouped(rows)
    assert group.record.id == "acme"
    assert {row.record.id for row in group.dependents} == {"ann", "deal"}
    assert grouped(rows, "opportunity") == [group]
    assert grouped(rows, "lead") == []


def test_a_row_whose_root_is_not_in_the_report_and_a_ring_of_roots_lose_nothing():
    alone = error("ann", root="elsewhere")
    assert grouped([alone]) == [alone]
    ring = grouped([error("one", root="two"), error("two", root="one")])
    assert sorted([r.record.id for g in ring for r in (g, *g.dependents)]) == ["one", "two"]


def test_a_refused_delivery_is_grouped_under_the_account_it_waits_for():
    refused = error("delivery", "contact", "acme", direction="to_crm", since=LATER)
    (group,) = grouped([refused, error("acme", "account")])
    assert group.dependents == (refused,)
