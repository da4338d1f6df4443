"""What the administrator of the CRM does: users and rights, attributes and rules, secrets. See `desk`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from .ntlm import Ntlm
from .oauth import OAuth
from .record import Record, Reference
from .schema import Attribute, AttributeType, Entity, Option
from .site import DuplicateRule, Refusal, Site
from .values import full_name

_RIGHTS = ("create", "read", "write", "delete", "assign")
_FIRST_CUSTOM_VALUE = 100_000_000


@dataclass(slots=True)
class Administration:
    """Everything here is done at once, and asks nobody."""

    site: Site
    oauth: OAuth
    ntlm: Ntlm

    # People and rights

    def add_user(
        self,
        domain_name: str,
        *,
        first_name: str = "",
        last_name: str = "User",
        email: str | None = None,
        disabled: bool = False,
        key: str | None = None,
    ) -> str:
        """The new systemuser's id. domain_name: `DOMAIN\\user` on premises, an address online."""
        values: dict[str, Any] = {
            "domainname": domain_name,
            "firstname": first_name or None,
            "lastname": last_name,
            "internalemailaddress": email,
            "isdisabled": disabled,
            "accessmode": 0,
        }
        return self._add("systemuser", values | {"fullname": full_name(values)}, key)

    def add_team(self, name: str) -> str:
        return self._add("team", {"name": name, "teamtype": 0, "isdefault": False})

    def disable_user(self, key: str, *, disabled: bool = True) -> None:
        record = self._record("systemuser", key)
        record.values["isdisabled"] = disabled
        self.site.store.save(record)

    def forbid(self, entity: str, actions: Iterable[str] = _RIGHTS, user: str | None = None) -> None:
        """Takes a user privileges on an entity: create, read, write, delete, assign. user: None = ours."""
        for action in actions:
            right = (user or self.site.application.id, self._entity(entity).name, action)
            self.site.store.execute("INSERT OR IGNORE INTO denied VALUES (?, ?, ?)", right)

    def permit(self, entity: str, user: str | None = None) -> None:
        """Gives them back."""
        right = (user or self.site.application.id, entity)
        self.site.store.execute("DELETE FROM denied WHERE user = ? AND entity = ?", right)

    def disable_organisation(self, *, disabled: bool = True) -> None:
        self.site.disabled = disabled

    def drop_application_user(self, *, dropped: bool = True) -> None:
        """The application, or our user, is no user of the organisation any more."""
        self.site.member = not dropped

    def take_roles(self, *, taken: bool = True) -> None:
        """Our user has no security role any more."""
        self.site.roles = not taken

    # What the administrator changes

    def add_attribute(
        self,
        entity: str,
        name: str,
        type: AttributeType = "string",
        *,
        length: int | None = 100,
        label: str = "",
        options: Iterable[str] = (),
        to: str = "",
    ) -> None:
        """A custom one. name: as in the schema, such as `new_ScoreId`; its logical name is in lower case.

        options: labels. to: the entity that a lookup points to.
        """
        described = Attribute(
            name.lower(),
            type,
            length if type in {"string", "memo"} else None,
            label or name,
            tuple(Option(_FIRST_CUSTOM_VALUE + at, label) for at, label in enumerate(options)),
            {to: name} if to else {},
            custom=True,
        )
        self.site.store.put_attribute(self._entity(entity).name, described)

    def drop_attribute(self, entity: str, name: str) -> None:
        """Raises KeyError."""
        self.site.store.drop_attribute(entity, name)

    def add_key(self, entity: str, attribute: str) -> None:
        """An alternate key; no two records may share its value."""
        described = self._entity(entity)
        self.site.store.switch(entity, "keys", (*described.keys, described.attributes[attribute].name))

    def add_option(
        self, entity: str, attribute: str, label: str, value: int | None = None, state: int | None = None
    ) -> int:
        """Of an option set: its value. Raises KeyError. state: of a status. A label that is there stays."""
        described = self._entity(entity).attributes[attribute]
        known = next((option for option in described.options if option.label == label), None)
        if known is not None:
            return known.value
        taken = [option.value for option in described.options if option.value >= _FIRST_CUSTOM_VALUE]
        value = value if value is not None else max(taken, default=_FIRST_CUSTOM_VALUE - 1) + 1
        options = (*described.options, Option(value, label, state))
        self.site.store.put_attribute(entity, replace(described, options=options))
        return value

    def drop_option(self, entity: str, attribute: str, label: str) -> None:
        described = self._entity(entity).attributes[attribute]
        options = tuple(option for option in described.options if option.label != label)
        self.site.store.put_attribute(entity, replace(described, options=options))

    def refuse(self, entity: str, attribute: str, value: Any, message: str = "Refused by a plug-in.") -> None:
        """A plug-in: no record may get the value in that attribute from now on."""
        described = self._entity(entity).attributes[attribute]
        self.site.refusals.append(Refusal(entity, described.name, value, message))

    def accept(self) -> None:
        """Ends all plug-ins."""
        self.site.refusals.clear()

    def publish_duplicate_rule(self, entity: str, *attributes: str) -> None:
        self.site.duplicate_rules.append(DuplicateRule(self._entity(entity).name, attributes))

    def unpublish_duplicate_rules(self) -> None:
        self.site.duplicate_rules.clear()

    def track(self, entity: str, *, tracked: bool = True) -> None:
        """Change tracking of an entity, on or off."""
        self.site.store.switch(self._entity(entity).name, "tracked", tracked)

    def expire_changes(self) -> None:
        """Delta tokens given until now are too old."""
        self.site.tracked_from = self.site.store.version + 1

    # Secrets

    def set_password(self, password: str) -> None:
        """Of our Windows user, who has to sign in again."""
        user = self.site.settings.windows_user
        self.site.store.keep_secret(user, password)
        self.ntlm.passwords = {**self.ntlm.passwords, user: password}
        self.ntlm.forget()

    def set_client_secret(self, secret: str, client: str | None = None) -> None:
        client = client or self.site.settings.client_id
        self.site.store.keep_secret(client, secret)
        self.oauth.secrets[client] = secret
        self.oauth.expired.discard(client)

    def expire_client_secret(self, client: str | None = None) -> None:
        self.oauth.expired.add(client or self.site.settings.client_id)

    def expire_access(self) -> None:
        """Access tokens given until now are not good any more."""
        self.oauth.expire()

    def _add(self, entity: str, values: dict[str, Any], key: str | None = None) -> str:
        store = self.site.store
        by = Reference("systemuser", self.site.person.id)
        made = {"createdon": store.now(), "modifiedon": store.now(), "createdby": by, "modifiedby": by}
        kept = {name: value for name, value in (values | made).items() if value is not None}
        return store.add(entity, key or store.new_id(), kept).id

    def _entity(self, name: str) -> Entity:
        if name not in self.site.store.entities:
            raise ValueError(f"no such entity: {name}")
        return self.site.store.entities[name]

    def _record(self, entity: str, key: str) -> Record:
        record = self.site.store.get(self._entity(entity).name, key)
        if record is None:
            raise ValueError(f"{entity} has no such record")
        return record
