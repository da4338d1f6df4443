"""SugarCRM's types of fields, the same by every protocol, in the kit's words."""

from collections.abc import Mapping

from leadbus.connector.contract import FieldType

_NAMES: Mapping[FieldType, str] = {
    "text": "varchar text name fullname char longtext phone url email user_name encrypt html wysiwyg",
    "number": "int integer uint long ulong short tinyint float double decimal decimal2 currency",
    "boolean": "bool boolean checkbox",
    "date": "date",
    "datetime": "datetime datetimecombo",
    "option": "enum radioenum dynamicenum parent_type",
    "options": "multienum",
    "reference": "id relate link parent assigned_user_name team_list",
}
FIELD_TYPES: Mapping[str, FieldType] = {
    name: kind for kind, names in _NAMES.items() for name in names.split()
}


def field_type(name: str) -> FieldType:
    """The kit's word for a type of SugarCRM; `other` for what is none of ours."""
    return FIELD_TYPES.get(name, "other")
