"""`catchment client`: who may call the hub, and by what they prove it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.domain.clinics import Audience
from app.domain.errors import InvalidElementError
from app.key_files import write_key
from app.services import registrations, registry
from app.services.registrations import NewCredentials
from app.smart.client_secrets import new_secret, secret_hash
from app.smart.clients import generate_key
from app.smart.vocabulary import AuthMethod
from app.store.sessions import read_session, write_session

app = typer.Typer(help="Clients that may call the hub.", no_args_is_help=True)

ClientId = Annotated[str, typer.Argument(help="What it calls itself.")]
Clinic = Annotated[
    str | None, typer.Option(help="The clinic it belongs to; none: a partner.")
]
Source = Annotated[str, typer.Option(help="The clinic's source it belongs to.")]
Jwks = Annotated[
    Path | None, typer.Option(help="A file with its JWK Set (public keys).")
]
JwksUrl = Annotated[str | None, typer.Option(help="The URL of its JWK Set.")]
NewKey = Annotated[
    Path | None,
    typer.Option(help="Make a key pair and write the private JWK to this file."),
]
Scopes = Annotated[
    list[str] | None, typer.Option(help="A SMART scope it may have; repeatable.")
]


ScopeOptional = Annotated[
    bool,
    typer.Option(
        "--scope-optional", help="Give it all its scopes where it asks for none."
    ),
]


@app.command("add")
def add_client(
    client_id: ClientId,
    clinic: Clinic = None,
    source: Source = registry.MAIN_SOURCE,
    audience: Annotated[
        Audience, typer.Option(help="Whose releases it reads.")
    ] = Audience.MEMBERS,
    jwks: Jwks = None,
    jwks_url: JwksUrl = None,
    new_key: NewKey = None,
    method: Annotated[
        AuthMethod,
        typer.Option(help="How it proves who it is; a secret is a partner's only."),
    ] = AuthMethod.PRIVATE_KEY_JWT,
    scope: Scopes = None,
    scope_optional: ScopeOptional = False,
    coordinator: Annotated[
        bool,
        typer.Option("--coordinator", help="It decides about charts for the network."),
    ] = False,
    name: Annotated[str, typer.Option(help="Its name as people say it.")] = "",
) -> None:
    """Register a client, by its keys, the URL of them, or what is made for it here."""
    scopes = _stated(scope) or _usual(clinic)
    if coordinator:
        scopes = tuple(dict.fromkeys((*scopes, *registry.COORDINATOR_SCOPES)))
    hub = open_hub()
    given = _given(
        jwks=jwks,
        jwks_url=jwks_url,
        new_key=new_key,
        secret=method.has_secret,
        or_else="a --method with a secret",
    )
    with given as credentials:
        new = registry.NewClient(
            client_id=client_id,
            name=name or client_id,
            audience=audience,
            scopes=scopes,
            scope_optional=scope_optional,
            clinic=clinic,
            source=source,
            auth_method=method,
            created_at=hub.epoch(),
            **msgspec.structs.asdict(credentials),
        )
        with write_session(hub.engine) as session:
            registry.register_client(session, new, dev_mode=hub.is_local)
    typer.echo(f"Client {client_id} may have: {' '.join(scopes)}")


@app.command("approve")
def approve_client(
    client_id: ClientId,
    clinic: Clinic = None,
    source: Source = registry.MAIN_SOURCE,
    audience: Annotated[
        Audience | None,
        typer.Option(help="Whose releases it reads; a partner's needs to be said."),
    ] = None,
    scope: Scopes = None,
) -> None:
    """Let in a client that registered itself, with what it asked for or less of it."""
    if clinic is None and audience is None:
        msg = "Say whose it is: --clinic CODE, or a partner's --audience"
        raise InvalidElementError(msg)
    with write_session(open_hub().engine) as session:
        granted = registrations.approve(
            session,
            client_id,
            clinic=clinic,
            source=source,
            audience=audience or Audience.MEMBERS,
            scopes=_stated(scope) or _usual(clinic),
        )
    typer.echo(f"Client {client_id} may have: {' '.join(granted)}")


@app.command("reject")
def reject_client(client_id: ClientId) -> None:
    """Forget a client that registered itself and is not wanted."""
    with write_session(open_hub().engine) as session:
        registrations.reject(session, client_id)
    typer.echo(f"Client {client_id} is forgotten")


@app.command("rotate")
def rotate_client(
    client_id: ClientId,
    jwks: Jwks = None,
    jwks_url: JwksUrl = None,
    new_key: NewKey = None,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Make a secret and print it.")
    ] = False,
) -> None:
    """Replace a client's keys or secret; what it had before opens nothing more."""
    hub = open_hub()
    given = _given(
        jwks=jwks,
        jwks_url=jwks_url,
        new_key=new_key,
        secret=new_secret,
        or_else="--new-secret",
    )
    with given as credentials, write_session(hub.engine) as session:
        registrations.rotate(session, client_id, credentials, dev_mode=hub.is_local)
    typer.echo(f"Client {client_id} has new credentials")


@app.command("revoke")
def revoke_client(client_id: ClientId) -> None:
    """Let a client in no more; its tokens stop within seconds."""
    with write_session(open_hub().engine) as session:
        registrations.revoke(session, client_id)
    typer.echo(f"Client {client_id} is revoked")


@app.command("list")
def list_clients() -> None:
    """List clients: id, status, whose, audience, how they prove it, scopes, name."""
    with read_session(open_hub().engine) as session:
        lines = list(registrations.client_lines(session))
    echo_table(registrations.ClientLine, lines)


def _stated(scopes: list[str] | None) -> tuple[str, ...]:
    return tuple(part for each in scopes or () for part in each.split())


def _usual(clinic: str | None) -> tuple[str, ...]:
    return registry.PARTNER_SCOPES if clinic is None else registry.CLINIC_SCOPES


@contextmanager
def _given(
    *,
    jwks: Path | None,
    jwks_url: str | None,
    new_key: Path | None,
    secret: bool,
    or_else: str,
) -> Iterator[NewCredentials]:
    """Yield the one thing that was given; what was made is shown if all went well."""
    if sum([jwks is not None, jwks_url is not None, new_key is not None, secret]) != 1:
        msg = f"Give one of --jwks, --jwks-url, --new-key and {or_else}"
        raise InvalidElementError(msg)
    if new_key is not None:
        with _made_key(new_key) as key_set:
            yield NewCredentials(key_set=key_set)
    elif secret:
        made = new_secret()
        yield NewCredentials(secret_hash=secret_hash(made))
        typer.echo(f"Its secret, shown this once: {made}")
    else:
        yield NewCredentials(
            key_set=None if jwks is None else jwks.read_text(), jwks_uri=jwks_url
        )


@contextmanager
def _made_key(path: Path) -> Iterator[str]:
    """Yield a new public key; *path* keeps the private one if the block ends well."""
    private, public = generate_key()
    write_key(path, json.dumps(private))
    try:
        yield json.dumps(public)
    except BaseException:
        path.unlink()
        raise
