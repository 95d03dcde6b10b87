"""Settings of the process, read once from the environment."""

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CATCHMENT_"
MAX_BODY_BYTES = 32 * 1024 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104  (named, not bound)


class Settings(BaseSettings):
    """
    What the operator decides; every name begins with ``CATCHMENT_``.

    ``master_key_file`` holds 32 bytes in hexadecimal, mode 0600. ``base_url`` is how
    clients reach the hub: the issuer, and the base of what assertions are made for.
    ``policy`` is a built-in policy by name, or the path of a file.
    ``trusted_proxies`` are the addresses, with commas between them, of the proxies that
    may say by ``X-Forwarded-Proto`` how a request came to them.
    ``client_resources_per_second`` and ``client_burst_resources`` bound what each
    client may ask of this process; without the first there is no bound.
    ``oidc_issuer`` is the OpenID Connect provider that a clinic's people sign in at,
    ``oidc_client_id`` the hub's name there; the secret stands in a file, and
    ``oidc_clinic_claim`` is the claim that has the code of somebody's clinic.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = "sqlite:///var/catchment.db"
    master_key_file: Path = Path("var/master.key")
    base_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    network: str = "demo-network"
    policy: str = "limited_data_set"
    measures_folder: Path | None = None
    audiences_file: Path | None = None
    embedded_worker: bool = True
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    max_body_bytes: int = Field(default=MAX_BODY_BYTES, ge=1024)
    trusted_proxies: str = "127.0.0.1"
    client_resources_per_second: float | None = Field(default=None, gt=0)
    client_burst_resources: int = Field(default=1000, ge=1)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None
    oidc_clinic_claim: str = Field(default="catchment_clinic", min_length=1)

    @model_validator(mode="after")
    def refuse_unknown_names(self) -> Self:
        """Refuse a misspelt name, which would otherwise be ignored in silence."""
        known = {f"{PREFIX}{name}".upper() for name in type(self).model_fields}
        known.add(f"{PREFIX}SHARED")
        unknown = sorted(
            name for name in os.environ if name.startswith(PREFIX) and name not in known
        )
        if unknown:
            msg = f"unknown setting: {', '.join(unknown)}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def refuse_plain_http(self) -> Self:
        """Refuse to hand out tokens over a network that others may listen to."""
        url = urlsplit(self.public_base_url)
        if url.scheme != "https" and url.hostname not in LOOPBACK:
            msg = "base_url must begin with https:// unless it names this machine"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def refuse_half_a_provider(self) -> Self:
        """Refuse a provider without a name there, or one reached in the clear."""
        if self.oidc_issuer is None:
            if self.oidc_client_id or self.oidc_client_secret_file:
                msg = "oidc_issuer is missing beside the other oidc_ settings"
                raise ValueError(msg)
            return self
        if not self.oidc_client_id:
            msg = "oidc_client_id is missing beside oidc_issuer"
            raise ValueError(msg)
        url = urlsplit(self.oidc_issuer)
        if url.scheme != "https" and url.hostname not in LOOPBACK:
            msg = "oidc_issuer must begin with https:// unless it names this machine"
            raise ValueError(msg)
        return self

    @property
    def public_base_url(self) -> str:
        """Return the base URL without a slash at its end; by default this machine's."""
        host = "localhost" if self.host in WILDCARDS else self.host
        host = f"[{host}]" if ":" in host else host
        return (self.base_url or f"http://{host}:{self.port}").rstrip("/")
