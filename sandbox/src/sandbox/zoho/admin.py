"""What the administrator of the CRM does: users and rights, fields and rules, tokens. See `desk`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .channels import Channels
from .schema import Module, make, with_option
from .site import Refusal, Site
from .store import Row
from .users import shown

_RIGHTS = ("create", "edit", "delete")


@dataclass(slots=True)
class Administration:
    """Everything here is done at once, and asks nobody."""

    site: Site

    # People and rights

    def add_user(
        self,
        email: str,
        *,
        first_name: str = "",
        last_name: str = "",
        admin: bool = False,
        confirmed: bool = True,
        time_zone: str | None = None,
    ) -> str:
        """The new user's id. Raises ValueError."""
        return self.site.users.add(
            email,
            time_zone or self.site.settings.time_zone,
            first_name=first_name,
            last_name=last_name,
            admin=admin,
            confirmed=confirmed,
        )

    def users(self) -> list[Row]:
        """All of them, as the API shows them."""
        return [shown(user) for user in self.site.users]

    def deactivate_user(self, key: str) -> None:
        self.site.users.set(key, active=False)

    def activate_user(self, key: str) -> None:
        self.site.users.set(key, active=True)

    def forbid(self, module: str, actions: Iterable[str] = _RIGHTS, user: str | None = None) -> None:
        """Takes a user rights to such records: view, create, edit, delete. user: an id, None = the first."""
        denied = [(user or self.site.primary.id, self._module(module).name, action) for action in actions]
        for right in denied:
            self.site.store.execute("INSERT OR IGNORE INTO denied VALUES (?, ?, ?)", right)

    def permit(self, module: str, user: str | None = None) -> None:
        """Gives them back."""
        right = (user or self.site.primary.id, module)
        self.site.store.execute("DELETE FROM denied WHERE user = ? AND module = ?", right)

    # What the administrator changes

    def add_field(
        self,
        module: str,
        name: str,
        type: str = "text",
        *,
        length: int | None = None,
        label: str = "",
        options: str = "",
        unique: bool = False,
    ) -> None:
        """A custom field; options: separated by `|`."""
        self._module(module)
        described = make(name, type, length, options=options, custom=True)
        described = replace(described, label=label or described.label, unique=unique)
        self.site.store.put_field(module, described)

    def make_unique(self, module: str, field: str, *, unique: bool = True) -> None:
        """No two records may share its value. Raises KeyError."""
        described = self._module(module).fields[field]
        self.site.store.put_field(module, replace(described, unique=unique))

    def add_option(self, module: str, field: str, option: str) -> None:
        """Of a pick list. Raises KeyError."""
        described = self._module(module).fields[field]
        self.site.store.put_field(module, with_option(described, option, there=True))

    def drop_option(self, module: str, field: str, option: str) -> None:
        described = self._module(module).fields[field]
        self.site.store.put_field(module, with_option(described, option, there=False))

    def refuse(self, module: str, field: str, value: str) -> None:
        """A validation rule: no record may have the value in that field from now on."""
        self.site.refusals.append(Refusal(module, field, value))

    def accept(self) -> None:
        """Ends all validation rules."""
        self.site.refusals.clear()

    def set_client_secret(self, secret: str, client: str | None = None) -> None:
        """In the API console; client: None = the one there is."""
        store = self.site.store
        client = client or store.value("SELECT id FROM clients")
        store.execute("INSERT OR REPLACE INTO clients VALUES (?, ?)", (client, secret))

    def register_redirect(self, uri: str, client: str | None = None) -> None:
        """An address to which a sign-in may go back; until there is one, all may."""
        store = self.site.store
        client = client or store.value("SELECT id FROM clients")
        store.execute("INSERT OR IGNORE INTO redirects VALUES (?, ?)", (client, uri))

    def revoke(self, user: str | None = None) -> None:
        """A user (None = all) takes back what was granted: no token of theirs is good any more."""
        for table in ("access_tokens", "refresh_tokens"):
            self.site.store.execute(f"DELETE FROM {table} WHERE ?1 IS NULL OR user = ?1", (user,))

    def expire_access(self) -> None:
        """All access tokens are over; refresh tokens are not."""
        self.site.store.execute("UPDATE access_tokens SET until = 0")

    def expire_page_tokens(self) -> None:
        """Those made until now."""
        self.site.page_tokens_from = self.site.store.now() + 1

    # What befalls channels and jobs

    def expire_channels(self) -> None:
        """Nobody has renewed them."""
        Channels(self.site.store).expire()

    def drop_callbacks(self, *, dropped: bool = True) -> None:
        """No callback is sent, as long as it is so."""
        self.site.callbacks_dropped = dropped

    def schedule_conversions(self, *, scheduled: bool = True) -> None:
        """Conversions answer that they will be done, and not what has become of the lead."""
        self.site.conversions_scheduled = scheduled

    def fail_bulk(self, *, fails: bool = True) -> None:
        """Bulk read jobs begun from now on fail."""
        self.site.bulk_fails = fails

    def _module(self, name: str) -> Module:
        if name not in self.site.store.modules:
            raise ValueError(f"no such module: {name}")
        return self.site.store.modules[name]
