"""Our WSDL says what the recorded ones say of the operations we use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from connector_sugar.wire import WSDL

RECORDINGS = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "soap"
W, X, S = (
    "{http://schemas.xmlsoap.org/wsdl/}",
    "{http://www.w3.org/2001/XMLSchema}",
    "{http://schemas.xmlsoap.org/wsdl/soap/}",
)
Parts = list[tuple[str, str]]

# v2 lacks these parts, and says these types in another way (see the WSDL's own comment).
LACKS = {("get_entry_listRequest", "favorites"), ("get_available_modulesRequest", "filter")}
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

pytestmark = pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside this checkout")


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


@pytest.mark.parametrize("version", ["v4", "v4_1"])
def test_parts_and_types_are_those_of_v4_and_v4_1(version: str) -> None:
    path = RECORDINGS / f"sugar_{version}.wsdl"
    theirs, their_types = messages(path), types(path)
    assert messages(WSDL) == {name: theirs[name] for name in messages(WSDL)}
    assert types(WSDL) == {name: their_types[name] for name in types(WSDL)}


def test_v2_differs_where_we_say_and_nowhere_else() -> None:
    path = RECORDINGS / "sugar_v2.wsdl"
    theirs, their_types = messages(path), types(path)
    for name, parts in messages(WSDL).items():
        assert theirs[name] == [part for part in parts if (name, part[0]) not in LACKS]
    for name, parts in types(WSDL).items():
        assert (name in their_types) == (name not in V4_ONLY)
        if name not in V4_ONLY:
            assert (their_types[name] == parts) == (name not in DIFFERS), name


def test_what_v2_lacks_comes_last_so_that_leaving_it_out_shifts_nothing() -> None:
    for name, part in LACKS:
        assert messages(WSDL)[name][-1][0] == part


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
        return found  # type: ignore[return-value]

    ours, theirs = bodies(WSDL), bodies(RECORDINGS / f"sugar_{version}.wsdl")
    assert ours == {name: theirs[name] for name in ours}
    assert len(ours) == 7
