"""Our WSDL says what the recorded ones say of the operations we use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from connector_sugar.legacy.operations import OPERATIONS, known_by
from connector_sugar.legacy.soap import WSDL

RECORDINGS = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "soap"
W, X, S = (
    "{http://schemas.xmlsoap.org/wsdl/}",
    "{http://www.w3.org/2001/XMLSchema}",
    "{http://schemas.xmlsoap.org/wsdl/soap/}",
)
Parts = list[tuple[str, str]]

# v2 says these types in another way (see the WSDL's own comment).
DIFFERS = {
    "get_entry_list_result_version2",
    "link_array_list",
    "link_lists",
    "module_list",
    "field",
    "new_module_fields",
}
V4_ONLY = {
    "link_value2",
    "link_list2",
    "acl_list",
    "acl_list_entry",
    "module_list_array",
    "module_list_entry",
}

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason=f"the recordings are not there: {RECORDINGS}")


def messages(path: Path) -> dict[str, Parts]:
    root = etree.parse(path).getroot()
    return {
        m.get("name", ""): [(p.get("name", ""), p.get("type", "")) for p in m.iter(f"{W}part")]
        for m in root.iter(f"{W}message")
    }


def types(path: Path) -> dict[str, Parts]:
    """Members in their order; an array's as ('[]', item type)."""

    def members(kind: etree._Element) -> Iterator[tuple[str, str]]:
        for attribute in kind.iter(f"{X}attribute"):
            yield "[]", attribute.get(f"{W}arrayType", "")
        for element in kind.iter(f"{X}element"):
            yield element.get("name", ""), element.get("type", "")

    root = etree.parse(path).getroot()
    return {kind.get("name", ""): list(members(kind)) for kind in root.iter(f"{X}complexType")}


def test_the_operations_are_named_as_in_the_wsdl() -> None:
    requests = {f"{operation}Request": list(parts) for operation, parts in OPERATIONS.items()}
    ours = {name: [part for part, _ in parts] for name, parts in messages(WSDL).items() if name in requests}
    assert ours == requests


@pytest.mark.parametrize("version", ["v2", "v4", "v4_1"])
def test_parts_are_those_of_each_version_but_for_the_last_ones_that_it_lacks(version: str) -> None:
    theirs = messages(RECORDINGS / f"sugar_{version}.wsdl")
    for name, parts in messages(WSDL).items():
        operation = name.removesuffix("Request")
        known = known_by(version, operation) if operation in OPERATIONS else len(parts)
        assert theirs[name] == parts[:known]


@pytest.mark.parametrize("version", ["v4", "v4_1"])
def test_types_are_those_of_v4_and_v4_1(version: str) -> None:
    theirs = types(RECORDINGS / f"sugar_{version}.wsdl")
    assert types(WSDL) == {name: theirs[name] for name in types(WSDL)}


def test_types_of_v2_differ_where_we_say_and_nowhere_else() -> None:
    theirs = types(RECORDINGS / "sugar_v2.wsdl")
    for name, parts in types(WSDL).items():
        assert (name in theirs) == (name not in V4_ONLY), name
        if name not in V4_ONLY:
            assert (theirs[name] == parts) == (name not in DIFFERS), name


@pytest.mark.parametrize("version", ["v2", "v4", "v4_1"])
def test_the_binding_is_theirs(version: str) -> None:
    def bodies(path: Path) -> dict[str, list[dict[str, str]]]:
        root = etree.parse(path).getroot()
        found = {}
        for binding in root.iter(f"{W}binding"):
            style = binding.findall(f"{S}binding")[0].get("style", "")
            for operation in binding.iter(f"{W}operation"):
                attributes = [dict(body.attrib) for body in operation.iter(f"{S}body")]
                found[operation.get("name", "")] = [{"style": style}, *attributes]
        return found

    ours, theirs = bodies(WSDL), bodies(RECORDINGS / f"sugar_{version}.wsdl")
    assert ours == {name: theirs[name] for name in ours}
    assert ours.keys() == OPERATIONS.keys()
