"""What the SugarCRM family can do.

Measured on SuiteCRM 7.12.5: about 80 ms for a written row, 0.7 ms for a read one; calls within one session
run one at a time.
"""

from connector_sugar.translation import MODULES, NEW_STATUS
from leadbus.connector.capabilities import Capabilities

CAPABILITIES = Capabilities(
    crm="sugar",
    modules=dict(MODULES),
    new_lead_status=NEW_STATUS,
    rows_per_write=25,
    rows_per_read=200,
    concurrent_calls=4,
    own_ids=True,
    cannot={
        "company of a contact": "SugarCRM keeps a contact's company as an account of its own, so that Leadbus"
        " writes the company to leads only.",
        "website of a contact": "SugarCRM's contacts have no field for a website; its leads do.",
        "email of an existing record": "SugarCRM ignores a change of the email address over SOAP.",
        "custom fields": "Leadbus does not write custom fields of its own accord, but for the score.",
    },
)
