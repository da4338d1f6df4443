"""Waiting for a server that is away: longer each time, said once, for as long as it takes."""

import logging
from collections.abc import Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

LONGEST_SECONDS = 5.0


def patiently(
    log: logging.Logger,
    what: str,
    passes: Callable[[BaseException], bool],
    *,
    until: Callable[[], bool] = lambda: False,
) -> AsyncRetrying:
    """Calls again while `passes(error)` and not `until()`; else the error is raised as it is.

    what: what is awaited, as the log is to name it ("MongoDB"); it is named once per wait.
    """

    def say_once(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome is not None:
            error = type(state.outcome.exception()).__name__
            log.warning("%s is away (%s); waiting until it is back.", what, error)

    return AsyncRetrying(
        retry=retry_if_exception(passes),
        wait=wait_random_exponential(multiplier=0.1, max=LONGEST_SECONDS),
        stop=lambda state: until(),
        before_sleep=say_once,
        reraise=True,
    )
