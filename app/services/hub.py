"""What the services share: opened once, at start-up, by ``app.main``."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from joserfc.jwk import ECKey
from sqlalchemy import Engine

from app.deid.policies import Policy
from app.deid.pseudonyms import KeyRing
from app.disclosure.audiences import Audiences
from app.domain.terminology import Coding
from app.measures.definitions import Measure
from app.measures.facts import CanonicalUnit
from app.measures.ranges import Ranges
from app.services.budgets import Budgets
from app.services.bulk.open_servers import OpenServers
from app.services.bulk.readers import Readers
from app.services.network_shares import NetworkShares
from app.services.unanswered import Unanswered
from app.smart.key_sets import KeySetCache
from app.smart.openid import OpenIdClient
from app.smart.outbound import Outbound
from app.smart.tokens import TokenReader
from app.store.concepts import ConceptCache

if TYPE_CHECKING:
    from app.services.authorization import Principals


Clock = Callable[[], int]
"""Tells the time in epoch milliseconds."""


def epoch_milliseconds() -> int:
    """Return the time now; the pure rooms are handed it."""
    return time.time_ns() // 1_000_000


def is_local(base_url: str) -> bool:
    """Return whether a URL leads to this machine."""
    return urlsplit(base_url).hostname in {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Hub:
    """
    One network's hub in this process.

    ``measures`` are those that are counted; ``unanswered`` those of the library that
    the policy keeps too little for, by id. ``signing_key`` signs its own tokens,
    ``client_key`` its assertions at other servers, ``outbound`` is the way there.
    Without ``openid`` nobody signs in.
    """

    engine: Engine
    base_url: str
    keys: KeyRing
    policy: Policy
    measures: tuple[Measure, ...]
    unanswered: Mapping[str, Unanswered]
    units: Mapping[Coding, CanonicalUnit]
    ranges: Ranges
    audiences: Audiences
    concepts: ConceptCache
    signing_key: ECKey
    client_key: ECKey
    outbound: Outbound
    tokens: TokenReader
    key_sets: KeySetCache
    principals: "Principals"
    clock: Clock = field(default=epoch_milliseconds)
    budgets: Budgets = field(default_factory=Budgets)
    network_shares: NetworkShares = field(default_factory=NetworkShares)
    openid: OpenIdClient | None = None
    readers: Readers = field(default_factory=Readers)
    servers: OpenServers = field(default_factory=OpenServers)

    def epoch(self) -> int:
        """Return the time in epoch seconds, as OAuth counts them."""
        return self.clock() // 1000

    @property
    def fhir_base(self) -> str:
        """Return the base of the FHIR interface, without a slash at its end."""
        return f"{self.base_url}/fhir"

    @property
    def is_local(self) -> bool:
        """Return whether the hub serves this machine only, where http will do."""
        return is_local(self.base_url)

    @property
    def token_endpoint(self) -> str:
        """Return the URL that client assertions are made for."""
        return f"{self.base_url}/oauth/token"

    @property
    def introspection_endpoint(self) -> str:
        """Return the URL where a client asks about its tokens."""
        return f"{self.base_url}/oauth/introspect"

    @property
    def revocation_endpoint(self) -> str:
        """Return the URL where a client takes back its tokens."""
        return f"{self.base_url}/oauth/revoke"

    @property
    def registration_endpoint(self) -> str:
        """Return the URL where a client registers itself."""
        return f"{self.base_url}/oauth/register"
