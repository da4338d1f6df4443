"""From a pod's manifest to what its process is started with. Nothing here is known of any one service."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sandbox.rehearsal.manifests import ManifestError, PodTemplate

NODE = "rehearsal"
_EVERYWHERE = "0.0.0.0"  # noqa: S104
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_LABEL = re.compile(r"metadata\.labels\['(.+)'\]")
_SOURCES = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_ALL_OF = {"configMapRef": "ConfigMap", "secretRef": "Secret"}


@dataclass(frozen=True, slots=True)
class Identity:
    """One pod's. folder: of its volumes. addresses: what stands in manifests, and where that is here."""

    name: str
    address: str
    folder: Path
    addresses: Mapping[str, str]

    def here(self, value: str) -> str:
        """A value whose whole is an address is that address here."""
        return {_EVERYWHERE: self.address, **self.addresses}.get(value, value)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a volume, with the mode that its manifest gives."""

    path: Path
    text: str
    mode: int


def mounts(template: PodTemplate, pod: Identity) -> dict[str, Path]:
    """Where each mount path is here."""
    return {
        mount["mountPath"].rstrip("/"): pod.folder / mount["mountPath"].strip("/")
        for mount in template.container.get("volumeMounts", [])
    }


def files(template: PodTemplate, pod: Identity) -> list[File]:
    """What ConfigMaps and Secrets put into the pod's volumes. Raises ManifestError."""
    volumes = {volume["name"]: volume for volume in template.spec.get("volumes", [])}
    found: list[File] = []
    for mount in template.container.get("volumeMounts", []):
        if mount["name"] not in volumes or "subPath" in mount:
            raise ManifestError(f"{template.owner}: the mount {mount['mountPath']} cannot be made.")
        folder = mounts(template, pod)[mount["mountPath"].rstrip("/")]
        found += _files(template, pod, volumes[mount["name"]], folder)
    return found


def _files(template: PodTemplate, pod: Identity, volume: Mapping[str, Any], folder: Path) -> list[File]:
    match {key: value for key, value in volume.items() if key != "name"}:
        case {"emptyDir": _, **others} if not others:
            return []
        case {"secret": {"secretName": name, **how}, **others} if not others:
            kind = "Secret"
        case {"configMap": {"name": name, **how}, **others} if not others:
            kind = "ConfigMap"
        case _:
            raise ManifestError(f"{template.owner}: the volume {volume['name']} is of an unknown kind.")
    said = cast(dict[str, Any], how)
    if said.keys() - {"defaultMode"}:
        raise ManifestError(
            f"{template.owner}: the volume {volume['name']} says more than its name and mode."
        )
    mode = said.get("defaultMode", 0o644)
    values = template.manifests.values(kind, name)
    return [File(folder / key, pod.here(text), mode) for key, text in values.items()]


def environment(template: PodTemplate, pod: Identity) -> dict[str, str]:
    """`envFrom`, then `env` over it, as the kubelet makes them. Raises ManifestError."""
    found: dict[str, str] = {}
    for source in template.container.get("envFrom", []):
        prefix = source.get("prefix", "")
        kind, name = next((_ALL_OF[ref], source[ref]["name"]) for ref in _ALL_OF if ref in source)
        found |= {prefix + key: value for key, value in template.manifests.values(kind, name).items()}
    for variable in template.container.get("env", []):
        found[variable["name"]] = _value(template, pod, variable, found)
    return {name: _here(template, pod, name, value) for name, value in found.items()}


def _value(
    template: PodTemplate, pod: Identity, variable: Mapping[str, Any], before: Mapping[str, str]
) -> str:
    match variable:
        case {"valueFrom": {"fieldRef": {"fieldPath": path}}}:
            return _field(template, pod, path)
        case {"valueFrom": source}:
            for ref, kind in _SOURCES.items():
                if ref in source:
                    return _key(template, kind, source[ref])
            raise ManifestError(f"{template.owner}: {variable['name']} comes from something unknown.")
    return _expanded(variable.get("value", ""), before)


def _key(template: PodTemplate, kind: str, ref: Mapping[str, Any]) -> str:
    values = template.manifests.values(kind, ref["name"])
    if ref["key"] not in values:
        raise ManifestError(f"{template.owner}: the {kind} {ref['name']} has no {ref['key']}.")
    return values[ref["key"]]


def _field(template: PodTemplate, pod: Identity, path: str) -> str:
    fields = {
        "metadata.name": pod.name,
        "metadata.namespace": template.namespace,
        "spec.nodeName": NODE,
        "status.podIP": pod.address,
    }
    if label := _LABEL.fullmatch(path):
        fields[path] = template.labels.get(label[1], "")
    if path not in fields:
        raise ManifestError(f"{template.owner}: a pod's {path} is not known here.")
    return fields[path]


def _here(template: PodTemplate, pod: Identity, name: str, value: str) -> str:
    if not name.endswith("_FILE"):
        return pod.here(value)
    for path, folder in mounts(template, pod).items():
        if value.startswith(f"{path}/"):
            return str(folder / value.removeprefix(f"{path}/"))
    raise ManifestError(f"{template.owner}: {name} is {value}, which is in no volume.")


def command(template: PodTemplate, image: Path, programs: Path, variables: Mapping[str, str]) -> list[str]:
    """What is run. image: the Dockerfile, for its entry point. programs: where the image's are here."""
    program, *more = template.command or _entry_point(image)
    arguments = [_expanded(argument, variables) for argument in (*more, *template.args)]
    return [str(programs / Path(program).name), *arguments]


def _entry_point(image: Path) -> list[str]:
    """In its exec form, which is JSON; the last stage's."""
    lines = image.read_text(encoding="utf-8").splitlines()
    written = [line.removeprefix("ENTRYPOINT ") for line in lines if line.startswith("ENTRYPOINT ")]
    words: list[str] = json.loads(written[-1])
    return words


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` is a variable that is known by then, or stays as it is; `$$` is a dollar."""
    return _REFERENCE.sub(lambda found: "$" if found[0] == "$$" else variables.get(found[1], found[0]), text)
