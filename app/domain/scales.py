"""What the values of a measure are, and how people read them."""

import msgspec

from app.domain.counts import ReleasedCell

DIMENSIONLESS = "1"
"""UCUM's unit of what has none."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """
    What values are: proportions in [0, 1], unless there is one of the two.

    With a ``unit`` (a UCUM code) they are means in it; with a ``per``, events per so
    much exposure. Charts, answers and pages ask here for a cell's value, and how it is
    written.
    """

    unit: str | None = None
    per: int | None = None

    @property
    def is_proportion(self) -> bool:
        """Return whether values are shares of people."""
        return self.unit is None and self.per is None

    @property
    def is_mean(self) -> bool:
        """Return whether values are means of a continuous variable."""
        return self.unit is not None

    @property
    def unit_name(self) -> str:
        """Return the unit as people read it: ``score`` for ``{score}``, none for 1."""
        return "" if self.unit == DIMENSIONLESS else (self.unit or "").strip("{}")

    @property
    def number_format(self) -> str:
        """Return how a value is written, for Python and for Vega (d3) alike."""
        if self.is_mean:
            return ".1f"
        return ".1%" if self.per is None else ".2f"

    def value(self, cell: ReleasedCell) -> float | None:
        """Return the value of a cell, or None where it is not told."""
        if self.is_mean:
            return cell.mean
        return cell.proportion if self.per is None else cell.rate(self.per)

    def text(self, value: float) -> str:
        """Return a value as people read it: 62.5%, 6.4 score, or 1.34 per 1,000."""
        unit = self.unit_name if self.per is None else f"per {self.per:,}"
        return f"{self.number(value)} {unit}".rstrip()

    def number(self, value: float) -> str:
        """Return a value without its unit."""
        return f"{value:{self.number_format}}"


PROPORTION = Scale()
