"""Ids for life: the same on every machine, whoever computes them."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from leadbus.ids import NAMESPACE, derived_id, prospect_id


@given(st.text(), st.text(min_size=1))
def test_they_are_uuids_of_version_5_in_leadbuss_name_space(tenant: str, name: str) -> None:
    assert derived_id(tenant, name) == str(uuid5(NAMESPACE, f"{tenant}\n{name}"))
    assert prospect_id(tenant, visitor_id=name) == str(uuid5(NAMESPACE, f"{tenant}\nvisitor:{name}"))
    mailed = prospect_id(tenant, email=f"{name}@example.com")
    spelt = f"{name}@example.com".strip().lower()
    assert mailed == str(uuid5(NAMESPACE, f"{tenant}\nemail:{spelt}")) == str(UUID(mailed))


def test_a_prospects_id_is_what_it_has_always_been() -> None:
    assert prospect_id("acme", email=" Ada@Example.com ") == "62507eb8-5dff-543d-9378-9605cf9436e6"
