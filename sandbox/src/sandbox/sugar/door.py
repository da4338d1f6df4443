"""Who gets in: user names and passwords, the same for every protocol."""

import hashlib
import hmac

from .store import Row, Store


class WrongPassword(Exception):
    """Wrong or unknown user, inactive user, wrong password."""


class LockedOut(Exception):
    """Too many wrong passwords: the right one does not help any more."""


def md5(password: str) -> str:
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


class Door:
    """`lock_after` wrong passwords in a row lock a user, 0 = never."""

    def __init__(self, store: Store, lock_after: int = 0) -> None:
        self._store = store
        self._lock_after = lock_after

    def enter(self, user_name: str, password_md5: str) -> Row:
        """The user's row. Raises WrongPassword or LockedOut."""
        user = self._store.row(
            "SELECT * FROM users WHERE user_name = ? AND deleted = 0 AND status = 'Active'", (user_name,)
        )
        if user is None:
            raise WrongPassword
        if self._lock_after and failures(self._store, user["id"]) >= self._lock_after:
            raise LockedOut
        known = (user["user_hash"] or "").encode()
        if not hmac.compare_digest(known, password_md5.lower().encode()):
            self._store.execute(
                "INSERT INTO failed_logins VALUES (?, 1)"
                " ON CONFLICT (user_id) DO UPDATE SET failures = failures + 1",
                (user["id"],),
            )
            raise WrongPassword
        unlock(self._store, user["id"])
        return user


def failures(store: Store, user: str) -> int:
    """Wrong passwords since the last right one."""
    return int(store.value("SELECT failures FROM failed_logins WHERE user_id = ?", (user,)) or 0)


def unlock(store: Store, user: str) -> None:
    store.execute("DELETE FROM failed_logins WHERE user_id = ?", (user,))
