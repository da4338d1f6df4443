"""Logs: one JSON object per line, or plain lines where a person is watching. Never personal data.

An exception's text may repeat what somebody has typed (a validator's, a driver's, a CRM's), so JSON tells
only its class and where it came from; the whole text is for a terminal alone.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import get_current_span

current_service: ContextVar[str] = ContextVar("current_service", default="leadbus")
"""The service that the running task belongs to: several may share one process."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, service, trace_id and span_id in a span, and the record's `extra`.

    exception: a list, the last one is what was caught, those before it are its causes; each with its `class`
    and its `frames`, "file:line in function", the last one is where it was raised.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "service": current_service.get(),
        }
        span = get_current_span().get_span_context()
        if span.is_valid:
            line |= {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            line["exception"] = list(_exceptions(record.exc_info[1]))
        return json.dumps(line, default=str, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """asyncio tells of a forgotten task in its first line; below it stands the exception, with its text."""
    message = record.getMessage()
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _exceptions(error: BaseException, known: set[int] | None = None) -> Iterator[dict[str, Any]]:
    """Each once: causes before what they caused, a group's members before the group."""
    known = set() if known is None else known
    if id(error) in known:
        return
    known.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (before, *members):
        if other is not None:
            yield from _exceptions(other, known)
    frames = traceback.walk_tb(error.__traceback__)
    yield {
        "class": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "frames": [f"{f.f_code.co_filename}:{line} in {f.f_code.co_name}" for f, line in frames],
    }


class PlainFormatter(logging.Formatter):
    """`12:34:56 ingest WARNING message`, for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        text = f"{time} {current_service.get():<16} {level}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def configure_logging(service: str, level: int = logging.INFO) -> None:
    """Sends all logs of this process to stderr, as JSON unless stderr is a terminal."""
    current_service.set(service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter() if sys.stderr.isatty() else JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # aiokafka reports every try while a broker is away; whoever waits for it says so once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    for noisy in ("faststream", "httpx", "pymongo", "uvicorn", "opentelemetry.sdk"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
