"""The public keys that a client registered: the text of a JWK Set, or its URL."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from app.domain.errors import InvalidElementError
from app.smart.documents import is_name, parse_document
from app.smart.errors import InvalidClientError
from app.smart.fetches import (
    MAX_BYTES,
    TIMEOUT_SECONDS,
    FetchError,
    Resolve,
    fetch_document,
    resolve_host,
)

PublicKey = RSAKey | ECKey
KeySet = Mapping[str, PublicKey]

DEFAULT_LIFETIME_SECONDS = 300
MAX_LIFETIME_SECONDS = 3600
REFETCH_SECONDS = 10

_ALGORITHMS = {"RSA": "RS384", "EC": "ES384"}
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = range(2048, 4096 + 1)

log = logging.getLogger(__name__)


@lru_cache(maxsize=256)
def parse_key_set(text: str) -> KeySet:
    """
    Return the keys of a JWK Set that verify RS384 or ES384, by their ``kid``.

    The whole set is refused for a private or symmetric key, a key without ``kty`` or
    ``kid``, a repeated ``kid``, a malformed RSA or EC key. Sound keys that serve
    another purpose (encryption, another algorithm) are left out.

    Raises:
        InvalidElementError: it is no such set; the expression names the member.

    """
    if len(text) > MAX_BYTES:
        msg = "The key set is longer than 64 kB"
        raise InvalidElementError(msg, expression="keys")
    try:
        members = parse_document(text).get("keys")
    except ValueError:
        msg = "The key set is not a JSON object of distinct members"
        raise InvalidElementError(msg, expression="keys") from None
    if not isinstance(members, list) or not members:
        msg = "The key set has no keys"
        raise InvalidElementError(msg, expression="keys")
    keys: dict[str, PublicKey | None] = {}
    for position, member in enumerate(members):
        kid, key = _parse_key(member, at=f"keys[{position}]")
        if kid in keys:
            msg = "The kid is repeated"
            raise InvalidElementError(msg, expression=f"keys[{position}].kid")
        keys[kid] = key
    return {kid: key for kid, key in keys.items() if key is not None}


def matching_key(keys: KeySet, *, kid: str, alg: str) -> PublicKey:
    """
    Return the one key that *kid* names, if it is of the type that *alg* takes.

    Raises:
        InvalidClientError: there is none.

    """
    key = keys.get(kid)
    if key is None or key.alg != alg:
        msg = "No registered key has the kid and suits the alg of the assertion"
        raise InvalidClientError(msg)
    return key


class KeySetCache:
    """
    The key sets behind registered URLs, none kept longer than its server allows.

    At most an hour, five minutes where the server says nothing, and not a second more
    because it does not answer: a key that was taken away stops working. *clock* counts
    seconds and never goes back; *http* and *dev_mode* are those of ``fetch_document``.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        dev_mode: bool,
        clock: Callable[[], float] = time.monotonic,
        resolve: Resolve = resolve_host,
    ) -> None:
        self._http = http
        self._dev_mode = dev_mode
        self._clock = clock
        self._resolve = resolve
        self._slots: dict[str, _Slot] = {}

    def keys(self, url: str, *, kid: str) -> KeySet:
        """
        Return the key set at *url*, which is a registered one.

        A *kid* that the kept set lacks has it fetched anew, once in ten seconds.

        Raises:
            InvalidClientError: the set cannot be had, or is not one.

        """
        asked_at = self._clock()
        slot = self._slots.setdefault(url, _Slot())
        if not slot.lock.acquire(timeout=TIMEOUT_SECONDS):
            msg = "The registered key set is being fetched and does not come"
            raise InvalidClientError(msg)
        try:
            # Whoever waited takes what was fetched meanwhile, be it a failure.
            if slot.fetched_at <= asked_at and self._is_due(slot, kid):
                self._fetch(slot, url)
            keys = slot.keys
        finally:
            slot.lock.release()
        if keys is None:
            msg = "The registered key set cannot be fetched or is not valid"
            raise InvalidClientError(msg)
        return keys

    def _is_due(self, slot: "_Slot", kid: str) -> bool:
        now = self._clock()
        if slot.keys is None or now >= slot.expires_at:
            return True
        if kid in slot.keys or now < slot.refetch_from:
            return False
        slot.refetch_from = now + REFETCH_SECONDS
        return True

    def _fetch(self, slot: "_Slot", url: str) -> None:
        now = self._clock()
        if now >= slot.expires_at:
            slot.keys = None
        try:
            fetched = fetch_document(
                self._http,
                url,
                dev_mode=self._dev_mode,
                clock=self._clock,
                resolve=self._resolve,
            )
            slot.keys = parse_key_set(fetched.body.decode())
            slot.expires_at = now + _lifetime(fetched.seconds)
        except (FetchError, InvalidElementError, UnicodeDecodeError) as error:
            log.warning("key_set_unavailable", extra={"error": type(error).__name__})
        slot.fetched_at = self._clock()


class _Slot:
    """What is kept of one URL; its lock is held while it is looked at or fetched."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keys: KeySet | None = None
        self.fetched_at = float("-inf")
        self.expires_at = float("-inf")
        self.refetch_from = float("-inf")


def _lifetime(allowed: int | None) -> int:
    if allowed is None:
        return DEFAULT_LIFETIME_SECONDS
    return min(allowed, MAX_LIFETIME_SECONDS)


def _parse_key(member: object, *, at: str) -> tuple[str, PublicKey | None]:
    """Return the ``kid`` of one JWK, and its key if it is one to verify with."""
    if not isinstance(member, dict):
        msg = "A key is not an object"
        raise InvalidElementError(msg, expression=at)
    if _PRIVATE_MEMBERS & member.keys() or member.get("kty") == "oct":
        msg = "A key set must hold public keys only"
        raise InvalidElementError(msg, expression=at)
    for required in ("kty", "kid"):
        if not is_name(member.get(required)):
            msg = f"A key has no {required}"
            raise InvalidElementError(msg, expression=f"{at}.{required}")
    kty = member["kty"]
    for required in _MEMBERS.get(kty, ()):
        if not isinstance(member.get(required), str):
            msg = f"A key has no {required}"
            raise InvalidElementError(msg, expression=f"{at}.{required}")
    key = _import_key(member, at=at) if _verifies(member) else None
    return member["kid"], key


def _verifies(jwk: dict[str, Any]) -> bool:
    alg = _ALGORITHMS.get(jwk["kty"])
    operations = jwk.get("key_ops", ["verify"])
    return (
        alg is not None
        and jwk.get("crv", "P-384") == "P-384"
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", alg) == alg
        and isinstance(operations, list)
        and "verify" in operations
    )


def _import_key(jwk: dict[str, Any], *, at: str) -> PublicKey:
    kty = jwk["kty"]
    material = {name: jwk[name] for name in _MEMBERS[kty]}
    trusted = {"kty": kty, "kid": jwk["kid"], "alg": _ALGORITHMS[kty], **material}
    try:
        if kty == "EC":
            return ECKey.import_key(trusted)
        modulus = int.from_bytes(urlsafe_b64decode(material["n"].encode()))
        if modulus.bit_length() not in _RSA_BITS:
            msg = "An RSA key has 2048 to 4096 bits"
            raise InvalidElementError(msg, expression=f"{at}.n")
        return RSAKey.import_key(trusted)
    except (JoseError, ValueError):
        msg = "A key is malformed"
        raise InvalidElementError(msg, expression=at) from None
