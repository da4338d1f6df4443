"""The simulator gives the recorded answers of SuiteCRM 7.12.5, byte for byte.

All 27 recorded requests are sent in their order. Nothing is left out of the comparison: the clock stands at
the recording's second, and generated ids and the session id are translated, each to one recorded id.
"""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from sandbox.sugar import SugarCRM, desk

RECORDINGS = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "soap"
REQUESTS = sorted(RECORDINGS.glob("*.request.xml"))
SESSION = "0" * 31 + "1"
JANE = "4e605dab-fb7f-290b-0c35-6b023b8d2f98"
TARGET_LIST = "ca0bafcf-6c4b-f30f-8175-6b023bcad4d6"
FIRST_MEMBERS = (
    "c586470a-b5ad-474a-0ac1-6b023bd0a5a1",
    "d61ca44e-ccfa-4d6e-cd8b-6b023bec021c",
    "e2e6e50e-5620-76fe-68a6-6b023b3570b2",
)
_ID = re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})\b")

pytestmark = pytest.mark.skipif(not REQUESTS, reason=f"the recordings are not there: {RECORDINGS}")


class Ids:
    """Which id of the simulator stands for which recorded one; one to one."""

    def __init__(self) -> None:
        self._recorded: dict[str, str] = {}
        self._ours: dict[str, str] = {}

    def ours(self, text: str) -> str:
        return _ID.sub(lambda match: self._ours.get(match[0], match[0]), text)

    def recorded(self, text: str) -> str:
        return _ID.sub(lambda match: self._recorded.get(match[0], match[0]), text)

    def learn(self, answer: str, recording: str) -> None:
        """New ids of an answer stand for the ids at the same places of the recording."""
        for new, known in zip(_ID.findall(answer), _ID.findall(recording), strict=True):
            if new != known and new not in self._recorded and known not in self._ours:
                self.pair(new, known)

    def pair(self, new: str, known: str) -> None:
        self._recorded[new] = known
        self._ours[known] = new


@pytest.fixture
async def crm() -> AsyncIterator[SugarCRM]:
    moment = datetime(2026, 11, 22, 0, 46, 26, tzinfo=UTC)
    server = SugarCRM(clock=lambda: moment)
    await server.start()
    yield server
    await server.stop()


def seed(crm: SugarCRM) -> None:
    """What the recorded server held before the first call."""
    store = crm.store
    jane = {"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com", "key": JANE}
    desk.add_user(store, "jane", "jane", **jane)
    account = desk.create(store, "Accounts", {"name": "Acme & Co"})
    for key, first, last in (
        ("98b1c378-2b69-7750-823e-6b023b830d90", "Ann", "One"),
        ("a42b77cb-a4fa-ff67-b9f2-6b023ba8ceae", "Bob", "Two"),
    ):
        email = f"{first.lower()}@example.com"
        person = {"first_name": first, "last_name": last, "email1": email, "account_id": account}
        desk.create(store, "Contacts", {"id": key, **person})
    desk.create(store, "Opportunities", {"id": "b21bcec1-a1d0-22e6-03ca-6b023b03a1f8", "name": "Deal"})
    desk.create(store, "ProspectLists", {"id": TARGET_LIST, "name": "Webinar"})


def more_leads(crm: SugarCRM, ids: Ids) -> None:
    for number in range(5, 25):
        desk.create(crm.store, "Leads", {"last_name": f"P{number:03}", "email1": f"p{number:03}@example.com"})


def members(crm: SugarCRM, ids: Ids) -> None:
    for key in FIRST_MEMBERS:
        desk.put_on_list(crm.store, TARGET_LIST, "Leads", ids.ours(key))


def another_login(crm: SugarCRM, ids: Ids) -> None:
    session, _ = crm.sessions.login("admin", "21232f297a57a5a743894a0e4a801fc3", None)
    ids.pair(session.id, SESSION)


# What the recorder did between two recorded calls.
BETWEEN: dict[str, Callable[[SugarCRM, Ids], None]] = {
    "11_get_entry_list_leads_by_email": more_leads,
    "22_get_relationships_prospectlist_leads": members,
    "26_v2_get_entry_list_with_links": another_login,
}


async def test_every_recorded_request_gets_its_recorded_answer(crm: SugarCRM) -> None:
    seed(crm)
    ids = Ids()
    assert len(REQUESTS) == 27
    for path in REQUESTS:
        name = path.name.removesuffix(".request.xml")
        if name in BETWEEN:
            BETWEEN[name](crm, ids)
        recording = path.with_name(f"{name}.response.xml").read_text(encoding="utf-8")
        # A fresh client each time: a kept cookie would be sent with the next login.
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                crm.endpoint_url("v2" if "_v2_" in name else "v4_1"),
                content=ids.ours(path.read_text(encoding="utf-8")).encode(),
                headers={"Content-Type": "text/xml; charset=utf-8"},
            )
        assert answer.status_code == (500 if "_fault_" in name else 200), name
        assert answer.headers["content-type"] == "text/xml; charset=UTF-8", name
        ids.learn(answer.text, recording)
        assert ids.recorded(answer.text) == recording, name


async def test_the_list_without_arraytype_was_stored_as_a_blank_record(crm: SugarCRM) -> None:
    another = Ids()
    another_login(crm, another)
    request = (RECORDINGS / "09_set_entry_lead_without_arraytype.request.xml").read_text(encoding="utf-8")
    async with httpx.AsyncClient() as client:
        await client.post(
            crm.endpoint_url(), content=another.ours(request), headers={"Content-Type": "text/xml"}
        )
    [lead] = desk.records(crm.store, "Leads")
    assert (lead["last_name"], lead["email"]) == (None, None)
