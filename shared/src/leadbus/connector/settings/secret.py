"""Secrets among settings: members of type SecretStr at any depth, named by path (`access/password`)."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr

from leadbus.problems import Problem

Model = TypeVar("Model", bound=BaseModel)

MASKED = str(SecretStr("any"))


def secrets_of(model: BaseModel, path: str = "") -> dict[str, str]:
    """Every secret, by path."""
    found: dict[str, str] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            found[f"{path}{name}"] = value.get_secret_value()
        elif isinstance(value, BaseModel):
            found |= secrets_of(value, f"{path}{name}/")
    return found


def without_secrets(model: BaseModel) -> dict[str, Any]:
    """What may be stored in the clear."""
    dumped = model.model_dump(mode="json")
    for path in secrets_of(model):
        section, name = _place(dumped, path)
        del section[name]
    return dumped


def with_secrets(dumped: dict[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Puts secrets into their places; the inverse of `without_secrets`."""
    for path, value in secrets.items():
        section, name = _place(dumped, path)
        section[name] = value
    return dumped


def keep_masked(model: Model, known: BaseModel | None) -> Model:
    """Where a secret came back as answers show it, the known one stays.

    Raises:
        Problem: 422 if there is none.
    """
    given = secrets_of(model)
    masked = {path for path, value in given.items() if value == MASKED}
    if not masked:
        return model
    kept = secrets_of(known) if known else {}
    if unknown := sorted(masked - kept.keys()):
        errors = [{"field": path.replace("/", "."), "reason": "only its mask was given"} for path in unknown]
        raise Problem(422, f"Enter {errors[0]['field']}: no value that can be read is stored.", errors=errors)
    secrets = given | {path: kept[path] for path in masked}
    return type(model).model_validate(with_secrets(without_secrets(model), secrets))


def changed_paths(old: BaseModel, new: BaseModel) -> tuple[str, ...]:
    """Which settings differ, secrets among them, by dotted path and in order; no values."""
    before, after = (
        _flat(without_secrets(model)) | {k.replace("/", "."): v for k, v in secrets_of(model).items()}
        for model in (old, new)
    )
    return tuple(sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p)))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = sorted(value) if _is_texts(value) else value
    return found


def _is_texts(value: Any) -> bool:
    """Sets are dumped as lists whose order is chance."""
    return isinstance(value, list) and all(isinstance(member, str) for member in value)


def _place(dumped: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *sections, name = path.split("/")
    for section in sections:
        dumped = dumped[section]
    return dumped, name
