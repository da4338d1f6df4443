"""What a sign-in brought, kept for an adapter over restarts, and renewed by one pod at a time."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class TokenKeeper(Protocol):
    """Keeps what a sign-in brought (such as a refresh token) over restarts, encrypted.

    One for each organisation and access: connections that sign in alike find what the others kept.
    """

    @property
    def anew(self) -> bool:
        """A person tests the access: sign in with the password first, and keep what that brings."""
        ...

    async def get(self) -> str | None:
        """The token last kept; None if there is none, or its key is lost: sign in anew."""
        ...

    async def put(self, token: str) -> None:
        """Keeps a token in place of the one before; returns once it is durable."""
        ...

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Only one of all pods is inside at a time: who renews a token looks first whether another has.

        A pod that dies inside keeps others out for half a minute. Raises Transient after a minute's wait.
        """
        ...
