"""A small OpenID Connect provider, for signing in over real HTTP, and its bad days."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT_ID, CLIENT_SECRET = "catchment hub", "s3cret/with:signs"
CLINIC_CLAIM = "catchment_clinic"
Keys = dict[str, RSAKey | ECKey]
KEYS: Keys = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}),
}
STRANGE_KEYS: Keys = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
}
"""Of the same names as the provider's, and not its own."""


class IdentityProvider:
    """
    Who signs everybody in as somebody of *clinic*, and checks what the hub sends.

    *changes* are other claims than it would state, *keys* what it signs with; where it
    is *down* its token endpoint fails.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.issuer = ""
        self.asked: dict[str, dict[str, str]] = {}
        self.behave()

    def behave(self) -> None:
        """Be as good as on the first day."""
        self.clinic: object = "alder-creek"
        self.changes: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.keys = KEYS
        self.down = False

    def app(self) -> FastAPI:
        """Return the provider as an application."""
        app = FastAPI()
        app.get("/.well-known/openid-configuration")(self.describe)
        app.get("/keys")(self.show_keys)
        app.get("/authorize")(self.authorize)
        app.post("/token")(self.grant)
        return app

    def describe(self) -> dict[str, Any]:
        """Say where the provider is to be reached."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def show_keys(self) -> Any:
        """Show the public keys."""
        return KeySet([*KEYS.values()]).as_dict(private=False)

    def authorize(self, request: Request) -> Response:
        """Let everybody in who asks as OpenID Connect has it, with PKCE."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["scope"] == "openid"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        answer = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}", 303)

    async def grant(self, request: Request) -> Response:
        """Give an ID token for a code to who asked for it, once."""
        if self.down:
            return Response(status_code=503)
        form = await request.form()
        asked = self.asked.pop(str(form["code"]), None)
        verifier = str(form["code_verifier"]).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest())
        named = "catchment%20hub:s3cret%2Fwith%3Asigns"
        expected = f"Basic {base64.b64encode(named.encode()).decode()}"
        if (
            asked is None
            or asked["code_challenge"] != challenge.decode().rstrip("=")
            or asked["redirect_uri"] != form["redirect_uri"]
            or request.headers["Authorization"] != expected
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(
            {
                "access_token": "a",
                "token_type": "Bearer",
                "id_token": self.id_token(asked["nonce"]),
            }
        )

    def id_token(self, nonce: str) -> str:
        """Return an ID token; nothing but *changes* is wrong with it."""
        now = self.clock() // 1000
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": "somebody",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "name": "Zq9 Person",
            CLINIC_CLAIM: self.clinic,
        }
        header = {"alg": self.algorithm, "kid": KEYS[self.algorithm].kid}
        stated = {k: v for k, v in (claims | self.changes).items() if v is not None}
        key = self.keys[self.algorithm]
        return jwt.encode(header, stated, key, algorithms=[*KEYS])


def unsigned(token: str) -> str:
    """Return a token of the same claims that says it needs no signature."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode())
    return f"{header.decode().rstrip('=')}.{token.split('.')[1]}."
