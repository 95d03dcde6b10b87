"""Tokens: each is unlike all else, of its FHIR type, and knows where it was planted."""

import base64
from collections.abc import Callable
from datetime import date, timedelta

PREFIX = "zqxcan"
"""Tokens of letters begin so; with six digits after it base64 needs no padding."""
FIRST_DAY = date(1903, 2, 1)
MANY = 1_500_000_000


class Mint:
    """Makes tokens, and remembers where each was planted; words are numbered."""

    def __init__(self, *, first: int = 0) -> None:
        self.planted: dict[str, str] = {}
        self._first = first
        self._days = 0

    def text(self, path: str) -> str:
        return self._keep(f"{PREFIX}{self._first + len(self.planted):06x}", path)

    def day(self, path: str) -> str:
        """Return a day of which nothing may stay; later ones come later."""
        self._days += 1
        on = FIRST_DAY + timedelta(days=self._days)
        return self._keep(on.isoformat(), path)

    def moment(self, path: str) -> str:
        """Return a moment of which nothing may stay."""
        return f"{self.day(path)}T{self.time(path)}-05:00"

    def time_on(self, day: str, path: str) -> str:
        """Return a moment of which the day may stay, and nothing else."""
        return f"{day}T{self.time(path)}-04:00"

    def time(self, path: str) -> str:
        number = len(self.planted)
        return self._keep(f"07:{number % 60:02}:{number % 53:02}.{number:06}", path)

    def number(self, path: str) -> int:
        return int(self._keep(str(MANY + len(self.planted)), path))

    def uuid(self, path: str) -> str:
        number = f"{len(self.planted):012x}"
        return "urn:uuid:" + self._keep(f"7a717863-616e-4a00-8a00-{number}", path)

    def markup(self, path: str) -> str:
        title, words = self.text(path), self.text(path)
        div = '<div xmlns="http://www.w3.org/1999/xhtml">'
        return f'{div}<p title="{title}">{words}</p></div>'

    def _keep(self, token: str, path: str) -> str:
        self.planted[token] = path
        return token


def _encoded(mint: Mint, path: str) -> str:
    return base64.b64encode(mint.text(path).encode()).decode()


def _url(mint: Mint, path: str) -> str:
    return f"http://{mint.text(path)}.example/{mint.text(path)}"


PLANTED: dict[str, Callable[[Mint, str], object]] = {
    "base64Binary": _encoded,
    "boolean": lambda *_: True,
    "canonical": _url,
    "code": Mint.text,
    "date": Mint.day,
    "dateTime": Mint.moment,
    "decimal": Mint.number,
    "id": Mint.text,
    "instant": Mint.moment,
    "integer": Mint.number,
    "markdown": Mint.text,
    "oid": lambda mint, path: f"urn:oid:2.999.{mint.number(path)}",
    "positiveInt": Mint.number,
    "string": Mint.text,
    "time": Mint.time,
    "unsignedInt": Mint.number,
    "uri": _url,
    "url": _url,
    "uuid": Mint.uuid,
    "xhtml": Mint.markup,
}
"""For each primitive type a value with a token in it; a boolean has no room for one."""
