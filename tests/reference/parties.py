"""A clinic's client, its keys, and the hub's door that it knocks at."""

import json
from functools import cache
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.domain.clinics import ClientStatus
from app.smart.assertions import verify_client_assertion
from app.smart.key_sets import KeySetCache
from app.smart.registration import RegisteredClient
from tests.reference.jwts import changed, jwk_of, jwt_of

NOW = 1_800_000_000
TOKEN_URL = "https://hub.example/oauth/token"
EC_KEY = ec.generate_private_key(ec.SECP384R1())
STRANGER = ec.generate_private_key(ec.SECP384R1())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Return an RSA key; one is enough, and made only where it is needed."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(*jwks: dict) -> str:
    """Return the text of a JWK Set."""
    return json.dumps({"keys": jwks})


def clinic(**changes: object) -> RegisteredClient:
    """Return a client with an EC key in an inline set."""
    members: dict[str, Any] = {
        "client_id": "clinic-a",
        "status": ClientStatus.ACTIVE,
        "scopes": ("system/Observation.cruds",),
        "key_set": key_set(jwk_of(EC_KEY, kid="k1")),
    }
    return RegisteredClient(**(members | changes))


def header_of(**changes: object) -> dict:
    """Return a good assertion's header, but for *changes*."""
    return changed({"alg": "ES384", "typ": "JWT", "kid": "k1"}, **changes)


def claims_of(**changes: object) -> dict:
    """Return a good assertion's claims, but for *changes*."""
    claims = {
        "iss": "clinic-a",
        "sub": "clinic-a",
        "aud": TOKEN_URL,
        "exp": NOW + 240,
        "jti": "once",
    }
    return changed(claims, **changes)


def assertion(
    header: dict | None = None, claims: dict | None = None, key=EC_KEY
) -> str:
    """Return an assertion, good but for the changes in *header* and *claims*."""
    return jwt_of(header_of(**header or {}), claims_of(**claims or {}), key)


class Door:
    """A token endpoint that knows *clients* and remembers what was spent."""

    def __init__(
        self, *clients: RegisteredClient, key_sets: KeySetCache | None = None
    ) -> None:
        self.clients = {client.client_id: client for client in clients or [clinic()]}
        self.key_sets = key_sets or KeySetCache(NO_NETWORK, dev_mode=False)
        self.spent: set[tuple[str, str]] = set()

    def admit(self, text: str, *, now: int = NOW) -> RegisteredClient:
        """Return the client that *text* authenticates."""
        return verify_client_assertion(
            text,
            audiences=(TOKEN_URL,),
            now=now,
            client_of=self.clients.get,
            key_sets=self.key_sets,
            first_use=self._first_use,
        )

    def _first_use(self, client_id: str, jti: str, expires_at: int) -> bool:
        assert expires_at > NOW
        is_new = (client_id, jti) not in self.spent
        self.spent.add((client_id, jti))
        return is_new


def _refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(request.url)


NO_NETWORK = httpx.Client(transport=httpx.MockTransport(_refuse), trust_env=False)
