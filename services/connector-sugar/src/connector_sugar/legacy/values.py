"""Values as the older services spell them, and in the kit's form: types of fields decide."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from connector_sugar.field_types import field_type
from connector_sugar.legacy.operations import FieldRow
from connector_sugar.legacy.queries import moment, sugar_time
from leadbus.connector.contract import FieldInfo, FieldType

_NAMES: Mapping[FieldType, str] = {
    "boolean": "converted deleted do_not_call is_admin is_group email_opt_out invalid_email opt_out",
    "datetime": "date_entered date_modified date_due date_start date_end",
    "text": "id name first_name last_name salutation title department account_name website description"
    " phone_work phone_mobile phone_fax phone_home phone_other phone_office primary_address_street"
    " primary_address_city primary_address_state primary_address_postalcode primary_address_country birthdate"
    " status priority lead_source list_type sales_stage amount currency_id date_closed probability account_id"
    " contact_id parent_type parent_id assigned_user_id user_name duration_hours duration_minutes direction"
    " iso4217 team_id email_address email_address_caps email1"
    " campaign_type start_date end_date content budget",
}
_STANDARD = {name: kind for kind, names in _NAMES.items() for name in names.split()}
"""Fields that the stock modules have: no call is needed to learn how they are spelt."""
_TRUE = frozenset({"1", "true", "on", "yes"})
_LISTED = "^"


class Types:
    """Types of fields by module, asked once for those that not every site has."""

    def __init__(self, describe: Callable[[str], Awaitable[Sequence[FieldRow]]]) -> None:
        self._describe = describe
        self._asked: dict[str, Mapping[str, FieldType]] = {}

    async def of(self, module: str, names: Collection[str]) -> Mapping[str, FieldType]:
        """The types of these fields; a field that the module does not have is text."""
        if all(name in _STANDARD for name in names):
            return _STANDARD
        if module not in self._asked:
            self._asked[module] = {row.name: field_type(row.type) for row in await self._describe(module)}
        return self._asked[module]


def field_info(row: FieldRow) -> FieldInfo:
    """A field as the kit shows it. The older services tell no lengths, and not what cannot be written."""
    kind = field_type(row.type)
    return FieldInfo(
        name=row.name,
        label=row.label.rstrip(": "),
        type=kind,
        required=row.required,
        writable=kind != "reference" or row.name.endswith("_id"),
        custom=row.name.endswith("_c"),
        options=row.options if kind in {"option", "options"} else None,
    )


def from_site(text: str, kind: FieldType | None) -> str:
    """The site's spelling in the kit's form."""
    if kind == "boolean":
        return "" if not text else "true" if text.lower() in _TRUE else "false"
    if kind == "datetime":
        at = moment_or_none(text)
        return at.isoformat() if at else ""
    if kind == "date":
        return "" if text.startswith("0000") else text[:10]
    if kind == "options":
        return ";".join(filter(None, (part.strip(_LISTED) for part in text.split("^,^"))))
    return text


def to_site(value: str, kind: FieldType | None) -> str:
    """The inverse of `from_site`."""
    if kind == "boolean" and value:
        return "1" if value.lower() in _TRUE else "0"
    if kind == "datetime" and value:
        at = datetime.fromisoformat(value)
        return sugar_time(at if at.tzinfo else at.replace(tzinfo=UTC))
    if kind == "options" and value:
        return ",".join(f"^{part}^" for part in value.split(";"))
    return value


def moment_or_none(text: str) -> datetime | None:
    """The time, None for what is none (an empty or a zero time)."""
    try:
        return moment(text)
    except ValueError:
        return None
