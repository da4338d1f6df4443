"""Credentials at rest: encrypted with a key from outside the database."""

import base64
import binascii

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from leadbus.errors import LeadbusError
from leadbus.settings import ConfigurationError

VARIABLE = "LEADBUS_SECRET_KEY"
_HOW = "make one with: openssl rand -base64 32 | tr '+/' '-_'"


class Unreadable(LeadbusError):
    """A stored secret was encrypted with a key that we no longer have, or was altered."""


class SecretBox:
    """Encrypts and decrypts texts (Fernet: AES-128-CBC with HMAC-SHA256, authenticated).

    secret_key: `LEADBUS_SECRET_KEY`. Several keys, separated by commas: the first encrypts, all decrypt, so
    that a key is changed by putting the new one in front.

    purpose: keys of its own are derived for it, so that what is meant for one is good for no other.
    """

    def __init__(self, secret_key: str, purpose: str = "") -> None:
        keys = [part.strip() for part in secret_key.split(",") if part.strip()]
        if not keys:
            raise ConfigurationError(f"{VARIABLE} is not set; {_HOW}.")
        self._fernet = MultiFernet(
            [_fernet(key, number, purpose) for number, key in enumerate(keys, start=1)]
        )

    def encrypt(self, text: str) -> bytes:
        """The text, unreadable without the key; differs each time."""
        return self._fernet.encrypt(text.encode())

    def decrypt(self, token: bytes) -> str:
        """What was encrypted.

        Raises:
            Unreadable: none of the keys fits.
        """
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken:
            raise Unreadable(
                f"A stored credential cannot be decrypted: give the key it was encrypted with in {VARIABLE},"
                " after the present one, or enter the credential again."
            ) from None

    def renew(self, token: bytes) -> bytes:
        """The same secret under the first key, for re-encrypting after a change of keys.

        Raises:
            Unreadable: none of the keys fits.
        """
        return self.encrypt(self.decrypt(token))


def _fernet(key: str, number: int, purpose: str) -> Fernet:
    try:
        raw = base64.urlsafe_b64decode(key)
        if len(raw) == 32:
            return Fernet(base64.urlsafe_b64encode(_derived(raw, purpose)) if purpose else key)
    except (binascii.Error, ValueError):
        pass
    raise ConfigurationError(f"{VARIABLE}: key {number} is not 32 bytes in URL-safe base64; {_HOW}.")


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)
