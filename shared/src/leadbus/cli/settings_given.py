"""Settings as a person gives them to the command line: a file, or `path=value` words."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from leadbus.errors import LeadbusError

ASKED_FOR = "-"


class _Yaml(yaml.SafeLoader):
    """YAML 1.2's booleans: the name `on` of a setting is a name, and a supplier may be called `no`. Days are
    texts, as they are in JSON."""


_BOOL = "tag:yaml.org,2002:bool"
_OTHERWISE = {_BOOL, "tag:yaml.org,2002:timestamp"}
_Yaml.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] not in _OTHERWISE]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver(_BOOL, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


def settings_in(file: Path) -> dict[str, Any]:
    """What is set in a YAML or JSON file, `${NAME}` taken from the environment.

    Raises:
        LeadbusError: it cannot be read, or asks for a variable that is not set.
    """
    try:
        read = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LeadbusError(f"{file} cannot be read ({type(error).__name__}).") from None
    text = _VARIABLE.sub(lambda match: _variable(file, match[1]), read)
    try:
        settings = _read(text)
    except yaml.YAMLError as error:
        raise LeadbusError(f"{file} is not readable as YAML ({type(error).__name__}).") from None
    if not isinstance(settings, dict):
        raise LeadbusError(f"{file} must hold names and what they are set to.")
    return settings


def patch_of(
    words: Sequence[str], rows: Sequence[Mapping[str, Any]], hidden: Callable[[str], str]
) -> dict[str, Any]:
    """What to change. rows: of the connector's settings. hidden: asks for the value of a path.

    Raises:
        LeadbusError: a word is not `path=value`, or there is no such setting.
    """
    known = {str(row["path"]): str(row["type"]) for row in rows}
    patch: dict[str, Any] = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not equals:
            raise LeadbusError(f"Give settings as path=value, such as {path}=...")
        if path not in known:
            near = get_close_matches(path, known, 1) or [p for p in known if p.endswith(f".{path}")]
            hint = f"did you mean {near[0]}?" if near else "leadbus connections settings CRM lists all."
            raise LeadbusError(f"There is no setting {path}: {hint}")
        *sections, name = path.split(".")
        place = patch
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = _value(path, known[path], hidden(path) if text == ASKED_FOR else text)
    return patch


def _read(text: str) -> Any:
    return yaml.load(text, _Yaml)  # noqa: S506 - it is a safe loader


def _value(path: str, type_: str, text: str) -> Any:
    """As its type asks: texts stay as they are given, 12345 and yes among them."""
    if text == "null":
        return None
    if "text" in type_ and not type_.startswith("list"):
        return text
    try:
        return _read(text)
    except yaml.YAMLError:
        raise LeadbusError(f"{path} is a {type_}; what was given cannot be read as one.") from None


def _variable(file: Path, name: str) -> str:
    if name not in os.environ:
        raise LeadbusError(f"{file} asks for the variable {name}, which is not set.")
    return os.environ[name]
