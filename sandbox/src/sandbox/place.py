"""The data folder of a stack, kept between runs: ports, secrets, and a lock for one at a time."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Self

from sandbox.servers.errors import ServerError
from sandbox.servers.process import free_port, is_free

USUAL_PORTS = {
    "kafka": 9092,
    "mongodb": 27017,
    "zipkin": 9411,
    "ingest": 8080,
    "scoring": 8081,
    "connector-sugar": 8082,
    "connector-zoho": 8083,
    "connector-dynamics": 8084,
    "feedback": 8085,
    "mail": 8025,
    "smtp": 1025,
    "crm-aurora": 8091,
    "crm-borealis": 8092,
    "crm-corona": 8093,
    "crm-delphi": 8094,
    "crm-europa": 8095,
}
# A connection knows its CRM by the address, a CRM its hook, and a mail its links, so that these must stay.
_MUST_STAY = ("crm-", "ingest", "feedback")


class Place:
    """A data folder in use; `with` takes and releases it."""

    def __init__(self, folder: Path, *, usual_ports: bool = True) -> None:
        """usual_ports: whether to try those first; else any that are free."""
        self.folder = folder
        self._usual = USUAL_PORTS if usual_ports else {}
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise ServerError(f"{self.folder} is in use: another `make up` runs on it.") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.close()

    def ports(self) -> dict[str, int]:
        """A port for everything: the one it had last time if it is free, else the usual one, else any.

        Raises:
            ServerError: the port of a CRM, of ingest or of feedback is taken by somebody else.
        """
        file = self.folder / "ports.json"
        kept: dict[str, int] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        for name, port in kept.items():
            if name.startswith(_MUST_STAY) and not is_free(port):
                raise ServerError(
                    f"Port {port} is taken by another program, but connections, hooks or mails of"
                    f" {self.folder} lead to it. End that program, or forget the data with `make clean`."
                )
        found = {name: _first_free((kept.get(name), self._usual.get(name))) for name in USUAL_PORTS}
        file.write_text(json.dumps(found), encoding="utf-8")
        return found

    def secret_key(self) -> Path:
        """The file of the key that encrypts credentials, made once."""
        return self._secret("secret-key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def operator_token(self) -> Path:
        """The file of the operator's token, made once."""
        return self._secret("operator-token", secrets.token_urlsafe(32))

    def crm_password(self) -> str:
        """The password of Leadbus's user in the CRMs, made once."""
        return self._secret("crm-password", secrets.token_urlsafe(16)).read_text(encoding="utf-8")

    def own_name(self) -> str:
        """A name that no other data folder has."""
        return self._secret("name", secrets.token_hex(4)).read_text(encoding="utf-8")

    def kept_keys(self) -> dict[str, str]:
        """API keys by tenant, as kept by `keep_keys`."""
        file = self.folder / "api-keys.json"
        keys: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return keys

    def keep_keys(self, keys: dict[str, str]) -> None:
        """Keeps API keys, for our eyes only."""
        _write_secret(self.folder / "api-keys.json", json.dumps(keys))

    def _secret(self, name: str, fresh: str) -> Path:
        file = self.folder / name
        if not file.exists():
            _write_secret(file, fresh)
        return file.resolve()


def _first_free(wanted: Iterable[int | None]) -> int:
    return next((port for port in wanted if port and is_free(port)), None) or free_port()


def _write_secret(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    fresh.rename(file)
