"""Tags put on people, or taken away, many people in one call.

Documented: `POST /{module}/actions/add_tags` and `remove_tags` for up to 500 records, with an outcome for
each. A tag that does not exist would be made by that (assumed), so that it is looked for first.
"""

from collections.abc import Sequence

from connector_zoho import faults
from connector_zoho.client import ZohoClient
from connector_zoho.looking import Looking
from connector_zoho.sending import Result
from connector_zoho.translation import text
from connector_zoho.wire import outcomes
from leadbus.connector.contract import CampaignMember
from leadbus.errors import Gone, LeadbusError

_NO_TAG = "The tag was deleted in the CRM."


class Tagging:
    """Of one connection."""

    def __init__(self, client: ZohoClient, looking: Looking) -> None:
        self._client = client
        self._looking = looking

    async def put(self, tag_id: str, members: Sequence[CampaignMember], *, on: bool) -> Sequence[Result]:
        """What became of each; all are of one module. on: the tag is put on them, not taken away."""
        module, ids = members[0].record.module, [member.record.id for member in members]
        action = "add_tags" if on else "remove_tags"
        try:
            tag = (await self._looking.recent_tags()).get(tag_id)
            if tag is None:
                return [Gone(_NO_TAG)] * len(members)
            answer = await self._client.call(
                f"POST {module} {action}",
                "POST",
                f"/{module}/actions/{action}",
                body={"tags": [{"name": text(tag.get("name"))}], "ids": ids},
                writing=True,
                traces=[member.traceparent for member in members],
            )
        except LeadbusError as error:
            return [error] * len(members)
        found = outcomes(answer)
        return found if len(found) == len(ids) else [faults.UNREADABLE.error(writing=True)] * len(ids)
