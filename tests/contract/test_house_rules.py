"""Which room makes which record: the privacy boundary, held by who may build what."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "app"

MAKERS = {
    "DeidentifiedRecord": ("deid/",),
    "IdentifiedRecord": ("fhir/",),
    "ReleasedCell": ("disclosure/", "store/releases.py"),
    "Cell": ("measures/", "disclosure/", "store/tables.py"),
    "ControlChart": ("charts/",),
}
"""The rooms that may build a type; the store builds what it reads back."""


def makers_of(name: str, source: str) -> Iterator[int]:
    """Yield the lines of *source* that call *name*."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            if getattr(called, "id", getattr(called, "attr", None)) == name:
                yield node.lineno


@pytest.mark.parametrize("name", MAKERS)
def test_a_type_is_made_in_its_room_alone(name: str):
    """A chart of counts that were not released could otherwise be written."""
    strangers = [
        f"{path.relative_to(APP)}:{line}"
        for path in APP.rglob("*.py")
        if not str(path.relative_to(APP)).startswith(MAKERS[name])
        for line in makers_of(name, path.read_text())
    ]

    assert strangers == []


def test_a_type_made_elsewhere_is_found():
    """The search can fail: it sees a call by name and by attribute."""
    source = "ReleasedCell(a=1)\ncounts.ReleasedCell(b=2)\nx: ReleasedCell"

    assert list(makers_of("ReleasedCell", source)) == [1, 2]
