"""Vega-Lite specifications drawn: as SVG with its font and its words, or as PNG."""

import json
import re
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from importlib import resources
from importlib.metadata import version
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

import vl_convert

from app.charts.vega_layers import FONT

REMEMBERED = 2048
"""Pictures that are kept by what they depend on; some 50 kB each."""
REMEMBERED_SPECIFICATIONS = 256
"""Of live numbers, too: the same numbers make the same picture."""
PNG_SCALE = 2
"""Pixels for a unit of the drawing: enough for print."""
DRAWING = "1"
"""The version of how pictures are drawn; another one makes all of them anew."""
ONE_IMAGE = {"aria": False}
"""A picture is read as a whole: its shapes have no labels of their own."""
SVG_START = re.compile(r"<svg\b[^>]*>")


class Picture(StrEnum):
    """What a chart can be had as, beside its numbers."""

    SVG = "svg"
    PNG = "png"
    SPECIFICATION = "vl.json"


MEDIA_TYPES = {
    Picture.SVG: "image/svg+xml",
    Picture.PNG: "image/png",
    Picture.SPECIFICATION: "application/json",
}


class Pictures:
    """Pictures drawn before, by what they depend on; safe for several threads."""

    def __init__(self, *, capacity: int = REMEMBERED) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._known: OrderedDict[Hashable, str | bytes] = OrderedDict()

    def find(self, drawing: Hashable, draw: Callable[[], str | bytes]) -> str | bytes:
        """Return the picture of *drawing*, drawn where it is not remembered."""
        with self._lock:
            known = self._known.get(drawing)
            if known is not None:
                self._known.move_to_end(drawing)
                return known
        made = draw()
        with self._lock:
            self._known[drawing] = made
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return made


def drawn(spec: dict[str, Any], picture: Picture) -> str | bytes:
    """Return a Vega-Lite specification drawn; a PNG at twice the size, for print."""
    return _rendered(json.dumps(spec), picture)


@lru_cache(maxsize=REMEMBERED_SPECIFICATIONS)
def _rendered(spec: str, picture: Picture) -> str | bytes:
    """Return a picture, remembered: drawing takes a tenth of a second."""
    if picture is Picture.SVG:
        return _alone(
            str(vl_convert.vegalite_to_svg(spec, config=ONE_IMAGE)), json.loads(spec)
        )
    if picture is Picture.PNG:
        return bytes(vl_convert.vegalite_to_png(spec, scale=PNG_SCALE))
    return spec


def _alone(svg: str, spec: dict[str, Any]) -> str:
    """
    Return an SVG that needs nothing else: its font is in it, and what it shows.

    A screen reader takes it for one image, whose name is its title and whose
    description says what it shows (SVG Accessibility API Mappings, section 5.1).
    """
    start = SVG_START.match(svg)
    assert start is not None
    description = str(spec.get("description", ""))
    words = f"<title>{escape(_name(spec))}</title><desc>{escape(description)}</desc>"
    opened = f'{start.group()[:-1]} role="img">'
    return f"{opened}{words}<style>{font_face()}</style>{svg[start.end() :]}"


def _name(spec: dict[str, Any]) -> str:
    """Return the title of a picture; untitled, the first sentence about it."""
    title = spec.get("title")
    if title is not None:
        return " ".join(title["text"])
    return str(spec.get("description", "")).partition(". ")[0]


@cache
def font_face() -> str:
    """Return the rule of CSS that has the font of pictures in it."""
    file = resources.files("app").joinpath("web/static/fonts/arimo-latin.woff2")
    data = b64encode(file.read_bytes()).decode()
    return (
        f"@font-face{{font-family:{FONT};font-weight:400;"
        f"src:url(data:font/woff2;base64,{data}) format('woff2')}}"
    )


@cache
def drawing_version() -> str:
    """Return what names the way of drawing: ours, and that of the library."""
    return sha256(f"{DRAWING} {version('vl-convert-python')}".encode()).hexdigest()[:8]


def warm_up() -> None:
    """Draw the smallest picture: the first one loads the library for a second."""
    vl_convert.vegalite_to_svg('{"data": {"values": [{}]}, "mark": "point"}')
