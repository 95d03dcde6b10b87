"""The application: reads what the operator gave, and puts the doors in place."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Thread

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError

from app.key_files import read_masters
from app.routers import (
    annotations,
    bulk_submit,
    clinics,
    cohorts,
    contributions,
    fhir,
    fhir_document,
    fhir_measures,
    health,
    imports,
    interface_page,
    oauth,
    operations,
    page_files,
    page_pictures,
    pages,
    pictures,
    projects,
    quality,
    sign_in,
    v1,
    webhooks,
)
from app.routers.descriptions import describe_problems
from app.routers.outcomes import LastDoor, install_error_replies
from app.routers.transport import HttpsOnly
from app.routers.uploads import Uploads
from app.services.admissions import admit_policy
from app.services.budgets import Budgets
from app.services.bulk.holders import holder_name
from app.services.hub import Hub
from app.services.keys import check_keys
from app.services.linkage import keep_to_policy
from app.services.openings import PolicyText, named_rules, open_hub
from app.services.pictures import Pictures, warm_up
from app.services.recounts import register_measures
from app.services.waiting import WaitingRoom
from app.services.workers import Workers
from app.settings import Settings
from app.smart.openid import Provider
from app.store.migrations import is_current

APP = Path(__file__).parent
BUILT_IN_POLICIES = ("limited_data_set", "expert_determination", "safe_harbor")
SETS_FOLDER = "value_sets"


class StartError(Exception):
    """The hub cannot start; the message says what the operator is to do."""


def create_app(settings: Settings, *, hub: Hub | None = None) -> FastAPI:
    """Return the application for *settings*, or for a *hub* that is open already."""
    opened = hub or hub_of(settings)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        Thread(target=warm_up, name="pictures").start()
        worker = start_worker(opened) if settings.embedded_worker else None
        yield
        app.state.waiting_room.close()
        if worker is not None:
            worker.stop()
        if opened.openid is not None:
            opened.openid.close()
        opened.servers.close()
        opened.outbound.close()
        opened.readers.close()
        opened.engine.dispose()

    app = FastAPI(
        title="Catchment",
        summary="The data hub of a learning health network.",
        version=version("catchment"),
        redirect_slashes=False,
        docs_url=None,  # the framework's own pages are made by other hosts' scripts
        redoc_url=None,
        generate_unique_id_function=operation_id,
        lifespan=running,
    )
    app.state.hub = opened
    app.state.settings = settings
    app.state.waiting_room = WaitingRoom(opened)
    app.state.uploads = Uploads()
    app.state.pictures = Pictures()
    install_error_replies(app)
    # Each request looks for its room in this order: the clinics' comes early, after
    # those whose paths it would take for a type's.
    for room in (
        fhir_document,
        operations,
        imports,
        bulk_submit,
        webhooks,
        fhir_measures,
        oauth,
        fhir,
        health,
        v1,
        pictures,
        contributions,
        quality,
        annotations,
        cohorts,
        projects,
        clinics,
        page_files,
        page_pictures,
        pages,
        interface_page,
        sign_in,
    ):
        app.include_router(room.router)
    describe_problems(app)
    app.mount("/static", StaticFiles(directory=APP / "web/static"))
    if not opened.is_local:
        app.add_middleware(HttpsOnly)
    app.add_middleware(LastDoor)
    return app


def read_settings(**chosen: object) -> Settings:
    """Return the settings of the environment under those *chosen* here."""
    try:
        return Settings.model_validate(chosen)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))} {fault['msg']}".strip()
            for fault in error.errors(include_input=False)
        )
        msg = f"settings: {faults}"
        raise StartError(msg) from None


def operation_id(route: APIRoute) -> str:
    """Return the name of the route's function; generated clients are named by it."""
    return route.name


def start_worker(hub: Hub) -> Workers:
    """Start counting, once the database has the schema of this version and our keys."""
    check_store(hub)
    check_keys(hub)
    keep_to_policy(hub)
    register_measures(hub)
    worker = Workers(hub, holder=holder_name())
    worker.start()
    return worker


def check_store(hub: Hub) -> None:
    """Refuse a database of another schema, or of records that the policy won't have."""
    if not is_current(hub.engine):
        msg = "The database has another schema; run `catchment migrate`"
        raise StartError(msg)
    admit_policy(hub)


def hub_of(settings: Settings) -> Hub:
    """Open the hub that *settings* describe."""
    return open_hub(
        database_url=settings.database_url,
        base_url=settings.public_base_url,
        network=settings.network,
        masters=read_masters(settings.master_key_file),
        policy=policy_text(settings.policy),
        measures=library_texts(library_folder(settings)),
        audiences=_text(settings.audiences_file, APP / "disclosure/audiences.toml"),
        budgets=Budgets(
            per_second=settings.client_resources_per_second,
            burst=settings.client_burst_resources,
        ),
        provider=provider_of(settings),
    )


def provider_of(settings: Settings) -> Provider | None:
    """
    Return the OpenID Connect provider of *settings*, if people sign in.

    Raises:
        StartError: there is no file for its secret, or nothing in it.
    """
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    file, secret = settings.oidc_client_secret_file, None
    if file is not None:
        secret = text_of(file).strip() if file.is_file() else ""
        if not secret:
            msg = f"No secret at {file}; it is that of CATCHMENT_OIDC_CLIENT_ID"
            raise StartError(msg)
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret,
        clinic_claim=settings.oidc_clinic_claim,
    )


def policy_text(chosen: str) -> PolicyText:
    """
    Return the policy of a built-in's name or of a path, with the rules that it names.

    Rules stand beside the policy's own file.

    Raises:
        StartError: there is no such policy, or no such file of rules.
        InvalidElementError: the policy can't be read.
    """
    built_in = APP / "deid" / f"{chosen}.toml"
    path = built_in if chosen in BUILT_IN_POLICIES else Path(chosen)
    if not path.is_file():
        names = ", ".join(BUILT_IN_POLICIES)
        msg = f"No policy at {path}; give a file, or one of: {names}"
        raise StartError(msg)
    stated = PolicyText(origin=path.name, text=text_of(path))
    rules = {name: path.parent / name for name in named_rules(stated)}
    for name, file in rules.items():
        if not file.is_file():
            msg = f"{path.name}, narrowed_by: no file {name} beside it"
            raise StartError(msg)
    texts = {name: text_of(file) for name, file in rules.items()}
    return PolicyText(origin=stated.origin, text=stated.text, rules=texts)


def library_folder(settings: Settings) -> Path:
    """Return the folder of the measure library: the network's, or the built-in one."""
    return settings.measures_folder or APP / "measures/library"


def library_texts(folder: Path) -> Mapping[str, str]:
    """Return the texts of a measure library by path within its folder."""
    files = (*folder.glob("*.yaml"), *folder.glob(f"{SETS_FOLDER}/*.json"))
    return {
        path.relative_to(folder).as_posix(): text_of(path) for path in sorted(files)
    }


def text_of(path: Path) -> str:
    """Return the text in a file that somebody wrote for the hub."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        msg = f"{path}: not text in UTF-8"
        raise StartError(msg) from None


def meanings_text() -> str:
    """Return what the codes of the built-in library are, in our own words, as CSV."""
    return (APP / "measures/library/meanings.csv").read_text("utf-8")


def _text(chosen: Path | None, built_in: Path) -> str:
    return text_of(chosen or built_in)
