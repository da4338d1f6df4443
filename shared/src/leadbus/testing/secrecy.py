"""Promises about what nobody may read by the way."""

from uuid import uuid4

from leadbus.messages import ContactChanged
from leadbus.testing.crm import Fault
from leadbus.testing.facts import activity
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

PASSWORD = "a-very-secret-password"
PEOPLE = ("lovelac", "babbag", "countess", "390555123", "7946 0018", "@t-")
"""Of all names, telephone numbers and emails of the suite: the email of every case's people has @t- in it."""
FAULTS: tuple[Fault, ...] = ("error", "html", "lose_reply")


class Secrecy(Promises):
    """Hears what the service has said in every case until then."""

    async def test_no_secret_and_no_personal_data_leave_by_logs_spans_or_metrics(self, scene: Scene) -> None:
        await scene.save(**scene.crm.settings(password=PASSWORD))
        await scene.turn("test")  # refused
        scene.crm.change_password(PASSWORD)
        await scene.connect(reads=["lead", "contact"], **scene.crm.settings(password=PASSWORD))
        ada, ben = scene.somebody("lovelace"), scene.somebody("babbage")
        scene.crm.put("lead", email=ada.email, last_name="Lovelace", phone="+390555123")
        scene.crm.put("contact", email="no address of Babbage", last_name="Babbage")
        scene.crm.load("lead", [{"last_name": "Lovelace"}])
        await scene.sync("lead", "contact")
        await scene.hear(ContactChanged)
        scene.crm.refuse("lead", "phone", "+3905551234")
        await scene.write(ben.distributed(last_name="Babbage", phone="+3905551234"))
        for number, fault in enumerate(FAULTS, 1):
            scene.crm.misbehave(fault, times=1)
            await scene.write(ben.distributed(fault, at=number, last_name="Babbage", phone="+390555123"))
        trace = uuid4().hex
        parent = f"00-{trace}-00f067aa0ba902b7-01".encode()
        await scene.write(ben.active(activity(subject="Quote for Babbage")), traceparent=parent)
        overheard = scene.house.overheard
        await until(lambda: overheard.has_spans_of(trace), "spans of the last call")
        overheard.logged.append(await scene.house.metrics())
        assert overheard.mentions(PASSWORD, *PEOPLE) == []
