"""What the services share: opened once, at start-up, by ``app.main``."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from app.deid.policies import Policy
from app.deid.pseudonyms import KeyRing
from app.domain.terminology import Coding
from app.measures.definitions import Measure
from app.measures.facts import CanonicalUnit
from app.store.concepts import ConceptCache


def epoch_milliseconds() -> int:
    """Return the time now; the pure rooms are handed it."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """One network's hub in this process."""

    engine: Engine
    base_url: str
    keys: KeyRing
    policy: Policy
    measures: tuple[Measure, ...]
    units: Mapping[Coding, CanonicalUnit]
    concepts: ConceptCache
    clock: Callable[[], int] = field(default=epoch_milliseconds)

    @property
    def fhir_base(self) -> str:
        """Return the base of the FHIR interface, without a slash at its end."""
        return f"{self.base_url}/fhir"
