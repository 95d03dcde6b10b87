"""What a bench measures, and what it should reach."""

from collections.abc import Iterable
from typing import NamedTuple


class Target(NamedTuple):
    """Something measured, and the most that it may be, or the least that it must."""

    name: str
    value: float
    aim: float
    is_most: bool = True

    @property
    def met(self) -> bool:
        """Return whether it is reached."""
        return self.value <= self.aim if self.is_most else self.value >= self.aim


def tell(targets: Iterable[Target]) -> int:
    """Print what came of each target; return the program's exit code."""
    known = [*targets]
    for target in known:
        met = "met" if target.met else "short"
        print(f"{target.name}: {target.value:.4g} (aim {target.aim:g}): {met}")
    return 0 if all(target.met for target in known) else 1
