"""What a user may do with records, whatever the protocol: everything is checked here, and refused here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import campaigns, converting, members, parties, states
from .converting import Qualification
from .duplicates import look_for_duplicates
from .errors import CrmError
from .privileges import name_of
from .query import Found, Query
from .record import Record, Reference, Values
from .schema import Entity
from .searching import search
from .site import Site
from .values import checked, full_name, guid

_PERSONS = frozenset({"lead", "contact", "systemuser"})
_OWNED = "ownerid"


@dataclass(frozen=True, slots=True)
class Caller:
    """user: id of a systemuser. detect_duplicates: has published rules applied. traceparent: of the call.

    trusted: sits at the desk, and may do what no program may.
    """

    user: str
    detect_duplicates: bool = False
    traceparent: str | None = None
    trusted: bool = False


@dataclass(slots=True)
class Records:
    """In the name of a caller. Every call raises CrmError if it is refused, and then has changed nothing."""

    site: Site
    caller: Caller

    # One record

    def get(self, entity: str, key: str) -> Record:
        described = self.entity(entity)
        self.allow("read", described)
        return self._there(described, key)

    def create(self, entity: str, values: Mapping[str, Any], key: str | None = None) -> Record:
        """key: its id; the caller may choose it."""
        described, store = self.entity(entity), self.site.store
        self.allow("create", described)
        if described.members != (entity,):
            raise CrmError("InvalidArgument")
        given = self._checked(described, values)
        own_id = given.pop(described.id, None)
        key = guid(key) or own_id or store.new_id()
        record = Record(key, entity, self._begun(described))
        self._stated(described, record, given)
        record.values |= given
        self._composed(described, record)
        for name, attribute in described.attributes.items():
            if attribute.required and record.values.get(name) is None:
                raise CrmError("MissingAttribute", name)
        if store.get(entity, key):
            raise CrmError("DuplicateRecord")
        self._permitted(described, record, record.values)
        with store.transaction():
            store.forget(entity, key)
            added = store.add(entity, key, record.values, self.caller.traceparent)
            parties.settle(store, described, added)
            return added

    def update(self, entity: str, key: str, values: Mapping[str, Any], version: int | None = None) -> Record:
        """version: the versionnumber that the record must have."""
        described = self.entity(entity)
        self.allow("write", described)
        record = self._there(described, key)
        described = self.entity(record.entity)
        _same_version(record, version)
        given = self._checked(described, values)
        given.pop(described.id, None)
        if self.site.version < (7, 1) and not self.caller.trusted:
            given = {name: value for name, value in given.items() if name not in _SET_OTHERWISE}
        return self._written(described, record, given)

    def delete(self, entity: str, key: str, version: int | None = None) -> Record:
        described = self.entity(entity)
        self.allow("delete", described)
        record = self._there(described, key)
        _same_version(record, version)
        with self.site.store.transaction():
            self.site.store.delete(record)
            members.forget(self.site.store, record)
            campaigns.forget(self.site.store, record)
            parties.forget(self.site.store, record)
        return record

    # More than one value

    def set_state(self, entity: str, key: str, state: int, status: int = -1) -> Record:
        """status -1: the state's usual one."""
        described = self.entity(entity)
        self.allow("write", described)
        record = self._there(described, key)
        described = self.entity(record.entity)
        given: Values = {"statecode": state, "statuscode": status}
        if described.attributes.get("statecode") is None:
            raise CrmError("InvalidArgument")
        return self._written(described, record, given)

    def assign(self, entity: str, key: str, owner: Reference) -> Record:
        """To a user or team."""
        described = self.entity(entity)
        self.allow("assign", described)
        record = self._there(described, key)
        described = self.entity(record.entity)
        return self._written(described, record, self._checked(described, {_OWNED: owner}))

    def qualify(self, lead: str, wish: Qualification) -> list[Record]:
        """What has been created, see `converting`."""
        record = self.get("lead", lead)
        self.allow("write", self.entity("lead"))
        with self.site.store.transaction():
            return converting.qualify(self, record, wish)

    # Lists

    def add_members(self, list_id: str, keys: list[str]) -> None:
        for key in keys:
            self.add_member(list_id, key)

    def add_member(self, list_id: str, key: str) -> str:
        """The id of the listmember; adding a member again changes nothing [assume]."""
        marketing_list = self.get("list", list_id)
        self.allow("write", self.entity("list"))
        return members.add(self.site, marketing_list, key, self.caller.user)

    def remove_member(self, list_id: str, key: str) -> None:
        """key: of the member, not of the listmember."""
        marketing_list = self.get("list", list_id)
        self.allow("write", self.entity("list"))
        members.remove(self.site.store, marketing_list, key)

    # Campaigns

    def add_item(self, campaign_id: str, item: Reference) -> Record:
        """The campaignitem: that a list, say, belongs to the campaign."""
        campaign, added = self.get("campaign", campaign_id), self.get(*item)
        self.allow("write", self.entity("campaign"))
        return campaigns.add(self.site.store, campaign, added)

    # Many

    def search(self, query: Query) -> Found:
        for name in (query.entity, *(link.entity for link in query.links)):
            self.allow("read", self.entity(name))
        return search(self.site.store, query)

    def who(self) -> tuple[str, str, str]:
        """Ids of the user, the business unit and the organisation."""
        return self.caller.user, self.site.business_unit_id, self.site.organization_id

    # What the rest is made of

    def entity(self, name: str) -> Entity:
        found = self.site.store.entities.get(name)
        if found is None:
            raise CrmError("QueryBuilderNoEntity", name)
        return found

    def allow(self, action: str, entity: Entity) -> None:
        for name in () if self.caller.trusted else {entity.name, *entity.members}:
            if not self.site.may(self.caller.user, action, name):
                privilege = name_of(action, name)
                raise CrmError("PrivilegeDenied", self.caller.user, privilege, entity.code, entity.name)

    def _there(self, entity: Entity, key: str) -> Record:
        record = self.site.store.get(entity.name, guid(key) or key)
        if record is None:
            raise CrmError("ObjectDoesNotExist", entity.schema_name, key)
        return record

    def _checked(self, entity: Entity, values: Mapping[str, Any]) -> Values:
        given: Values = {}
        for name, value in values.items():
            attribute = entity.attributes.get(name)
            if attribute is None:
                raise CrmError("QueryBuilderNoAttribute", entity.schema_name, name)
            # Dynamics passes over what may only be read, it does not refuse it.
            if attribute.read_only and not self.caller.trusted:
                continue
            if name == "statuscode" and value == -1:
                continue
            given[name] = checked(entity, attribute, value)
            if attribute.is_lookup and given[name] is not None:
                self._there(self.entity(given[name].entity), given[name].id)
        return given

    def _begun(self, entity: Entity) -> Values:
        """What Dynamics itself says of a new record."""
        now, by = self.site.store.now(), Reference("systemuser", self.caller.user)
        begun: Values = {"createdon": now, "modifiedon": now, "createdby": by, "modifiedby": by, _OWNED: by}
        return {name: value for name, value in begun.items() if name in entity.attributes}

    def _stated(self, entity: Entity, record: Record, given: Values) -> None:
        """A record begins open, whatever a program says of its state. Raises InvalidStateCodeStatusCode."""
        if "statecode" not in entity.attributes:
            return
        record.values |= states.begin(entity)
        states.settle(entity, record, given)
        if given.get("statecode") != 0 and not self.caller.trusted:
            given.pop("statecode", None)
            given.pop("statuscode", None)

    def _written(self, entity: Entity, record: Record, given: Values) -> Record:
        state_only = given.keys() <= {"statecode", "statuscode"}
        if entity.name == "lead" and record.values.get("statecode") == 1 and not state_only:
            raise CrmError("InvalidState")
        if "statecode" in entity.attributes:
            states.settle(entity, record, given)
        self._permitted(entity, record, given)
        record.values |= given
        record.values["modifiedon"] = self.site.store.now()
        record.values["modifiedby"] = Reference("systemuser", self.caller.user)
        self._composed(entity, record)
        with self.site.store.transaction():
            self.site.store.save(record)
            parties.settle(self.site.store, entity, record)
        return record

    def _permitted(self, entity: Entity, record: Record, given: Values) -> None:
        """The customer's plug-ins, alternate keys and duplicate rules."""
        if self.caller.trusted:
            return
        for refusal in self.site.refusals:
            if refusal.entity == entity.name and given.get(refusal.attribute) == refusal.value:
                self.site.refused_rows += 1
                raise CrmError("IsvAborted", refusal.message)
        look_for_duplicates(self.site, entity, record, given, rules=self.caller.detect_duplicates)

    def _composed(self, entity: Entity, record: Record) -> None:
        """What Dynamics derives from other values; and what is empty is not kept."""
        values = record.values
        if entity.name in _PERSONS:
            values["fullname"] = full_name(values)
        if _OWNED in values and "owninguser" in entity.attributes:
            owner = values[_OWNED]
            values["owninguser"] = owner if owner and owner.entity == "systemuser" else None
            values["owningteam"] = owner if owner and owner.entity == "team" else None
        if entity.name == "annotation" and values.get("objectid"):
            values["objecttypecode"] = values["objectid"].entity
        if entity.name == "list":
            values["membertype"] = values.get("createdfromcode")
            values.setdefault("type", False)
            values.setdefault("membercount", 0)
        record.values = {name: value for name, value in values.items() if value is not None}


_SET_OTHERWISE = frozenset({"statecode", "statuscode", _OWNED})


def _same_version(record: Record, version: int | None) -> None:
    if version is not None and record.version != version:
        raise CrmError("ConcurrencyVersionMismatch")
