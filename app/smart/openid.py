"""
A client of an OpenID Connect provider: who signed in, as the provider states it.

The authorization code flow with PKCE. What is taken from an ID token is one claim; the
token itself is not kept.

Source: OpenID Connect Core 1.0, sections 3.1 and 10.1; OpenID Connect Discovery 1.0;
RFC 7636.
"""

import threading
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from typing_extensions import override

from app.domain.errors import ForbiddenError, IssueType, ServiceError
from app.smart.documents import parse_document

DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS = ["RS256", "ES256"]
"""How ID tokens may be signed; never with a secret, never not at all."""
KEPT_SECONDS = 3600
LEEWAY_SECONDS = 60
"""By how much the clocks of the provider and the hub may differ."""
TIMEOUT_SECONDS = 5.0


class ProviderUnavailableError(ServiceError):
    """The provider does not answer, or not as OpenID Connect has it."""

    issue_type = IssueType.TRANSIENT


class SignInRefusedError(ForbiddenError):
    """The provider's answer is not one to this sign-in, or proves nothing."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Who tells the hub who signed in; without a secret the client is a public one."""

    issuer: str
    client_id: str
    client_secret: str | None
    clinic_claim: str

    @override
    def __repr__(self) -> str:
        """Return the issuer, never the secret."""
        return f"Provider({self.issuer!r})"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in under way: what its answer must come with; each is random."""

    state: str
    nonce: str
    code_verifier: str


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where the provider is to be reached, as its discovery document states."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class OpenIdClient:
    """
    The hub as a client of one provider.

    Its endpoints and keys are kept for an hour; a key that is not known is asked for
    once more. *now* is the time in epoch seconds.
    """

    def __init__(
        self, provider: Provider, http: httpx.Client, *, redirect_uri: str
    ) -> None:
        self.provider = provider
        self._http = http
        self._redirect_uri = redirect_uri
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, dict[str, Any]]] = {}

    def close(self) -> None:
        """Leave the provider."""
        self._http.close()

    def authorization_url(self, attempt: Attempt, *, now: int) -> str:
        """
        Return where the browser is sent to sign in.

        Raises:
            ProviderUnavailableError: the provider does not say where that is.
        """
        client = OAuth2Client(
            session=None,
            client_id=self.provider.client_id,
            redirect_uri=self._redirect_uri,
            scope="openid",
            code_challenge_method="S256",
        )
        url, _ = client.create_authorization_url(
            self._endpoints(now).authorization_endpoint,
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
        )
        return str(url)

    def clinic_claim(self, code: str, attempt: Attempt, *, now: int) -> object:
        """
        Exchange *code* for an ID token; return what it states of the clinic, or None.

        Raises:
            SignInRefusedError: the token is not the provider's answer to *attempt*.
            ProviderUnavailableError: the provider does not answer as it should.
        """
        answer = self._exchange(code, attempt, now)
        token = answer.get("id_token")
        if not isinstance(token, str):
            msg = "The sign-in service sent no ID token"
            raise ProviderUnavailableError(msg)
        claims = self._verified(
            token, attempt, access_token=answer.get("access_token"), now=now
        )
        return claims.get(self.provider.clinic_claim)

    def _exchange(self, code: str, attempt: Attempt, now: int) -> dict[str, Any]:
        endpoints, provider = self._endpoints(now), self.provider
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.code_verifier,
        }
        auth = None
        if provider.client_secret is None:
            form["client_id"] = provider.client_id
        elif "client_secret_basic" in endpoints.token_endpoint_auth_methods_supported:
            # RFC 6749 section 2.3.1: both are form-encoded first.
            auth = httpx.BasicAuth(
                quote(provider.client_id, safe=""),
                quote(provider.client_secret, safe=""),
            )
        else:
            form["client_id"] = provider.client_id
            form["client_secret"] = provider.client_secret
        return self._fetch("POST", endpoints.token_endpoint, data=form, auth=auth)

    def _verified(
        self, token: str, attempt: Attempt, *, access_token: object, now: int
    ) -> dict[str, Any]:
        """Return the claims of an ID token that answers *attempt*, or refuse."""
        try:
            decoded = jwt.decode(
                token, self._keys_for(token, now), algorithms=ALGORITHMS
            )
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.provider.issuer},
                    "aud": {"essential": True, "value": self.provider.client_id},
                },
                params={
                    "nonce": attempt.nonce,
                    "client_id": self.provider.client_id,
                    "access_token": access_token,
                },
            )
            claims.validate(now=now, leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError):
            msg = "The sign-in service's answer could not be verified. Sign in again."
            raise SignInRefusedError(msg) from None
        return dict(claims)

    def _keys_for(self, token: str, now: int) -> KeySet:
        """Return the provider's keys; asked for anew where the token's is not there."""
        kid = jws.extract_compact(token.encode()).headers().get("kid")
        url = self._endpoints(now).jwks_uri
        keys = _signing_keys(self._document(url, now))
        if kid not in {None, *(key.get("kid") for key in keys)}:
            keys = _signing_keys(self._document(url, now, anew=True))
        return KeySet.import_key_set({"keys": keys})

    def _endpoints(self, now: int) -> Endpoints:
        issuer = self.provider.issuer
        document = self._document(issuer.rstrip("/") + DISCOVERY, now)
        try:
            endpoints = msgspec.convert(document, Endpoints)
        except msgspec.ValidationError:
            endpoints = None
        if endpoints is None or endpoints.issuer != issuer:
            msg = "The sign-in service does not describe itself as it should"
            raise ProviderUnavailableError(msg)
        return endpoints

    def _document(self, url: str, now: int, *, anew: bool = False) -> dict[str, Any]:
        """Return a document of the provider's, at most an hour old."""
        with self._lock:
            until, document = self._kept.get(url, (0, {}))
            if now < until and not anew:
                return document
            document = self._fetch("GET", url)
            self._kept[url] = (now + KEPT_SECONDS, document)
            return document

    def _fetch(self, method: str, url: str, **sent: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the JSON object that the provider answers with, or refuse."""
        try:
            response = self._http.request(
                method,
                url,
                headers={"Accept": "application/json"},
                timeout=TIMEOUT_SECONDS,
                **sent,
            )
            if method == "POST" and response.is_client_error:
                msg = "The sign-in service did not accept this sign-in. Sign in again."
                raise SignInRefusedError(msg)
            response.raise_for_status()
            return parse_document(response.content)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            msg = "The sign-in service does not answer. Try again in a few minutes."
            raise ProviderUnavailableError(msg) from None


def _signing_keys(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the members of a key set that may verify an ID token."""
    listed = document.get("keys")
    return [
        key
        for key in (listed if isinstance(listed, list) else ())
        if isinstance(key, dict)
        and key.get("kty") in {"RSA", "EC"}
        and key.get("use", "sig") == "sig"
    ]
