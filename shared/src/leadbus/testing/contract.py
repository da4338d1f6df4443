"""The contract suite: everything that a connector promises, whatever its CRM, one case per promise.

See `promises.Promises` for how it is inherited, and `crm.CrmUnderTest` for what it needs.
"""

from leadbus.testing.answers import Answers
from leadbus.testing.campaigns import Campaigns
from leadbus.testing.checking import SaveAndTest
from leadbus.testing.consent import Consent
from leadbus.testing.fields_of_theirs import FieldsOfTheirs
from leadbus.testing.lists import Lists
from leadbus.testing.mailing import Mails
from leadbus.testing.mapping import FieldRules
from leadbus.testing.pages import Pages
from leadbus.testing.profiles import Profiles
from leadbus.testing.promises import expected_failure
from leadbus.testing.reading import Reading
from leadbus.testing.reporting import ErrorReport
from leadbus.testing.requests import Requests
from leadbus.testing.secrecy import Secrecy
from leadbus.testing.segments import Segments
from leadbus.testing.standing import Standing
from leadbus.testing.trouble import Trouble
from leadbus.testing.writing import Notes, Writing

__all__ = ["ConnectorContract", "expected_failure"]


class ConnectorContract(
    Secrecy,
    SaveAndTest,
    ErrorReport,
    Pages,
    Reading,
    Trouble,
    Campaigns,
    Lists,
    Answers,
    Mails,
    Profiles,
    Requests,
    Segments,
    Standing,
    Consent,
    FieldsOfTheirs,
    FieldRules,
    Notes,
    Writing,
):
    """All promises. Cases of the last part run first: secrecy hears what was said in all the others."""
