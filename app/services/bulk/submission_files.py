"""The manifests of a submission and their files, fetched as a SMART client."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from app.domain.clinics import Source
from app.domain.deliveries import PackedLines, packed
from app.fhir.bulk_submissions import FilePlace, ManifestAccess, ManifestPlace
from app.fhir.ndjson import LONGEST_LINE_BYTES, batches, without_first
from app.fhir.references import normal_base
from app.services.bulk.connections import private_key
from app.services.bulk.jobs import Run
from app.services.bulk.open_servers import FileReading
from app.services.bulk.withdrawals import read_deletions
from app.services.hub import Hub
from app.services.sealing import unseal
from app.smart.bulk_files import open_file
from app.smart.bulk_manifests import Manifest, parse_manifest
from app.smart.bulk_servers import BulkServer
from app.smart.bulk_tokens import Credentials, TokenHolder, holder_of
from app.smart.oauth_metadata import token_endpoint_of
from app.smart.outbound import Reach, origin_of
from app.store.bulk_submissions import PartRow, part_of
from app.store.connections import find_connection
from app.store.sessions import read_session

TOKEN_SCOPE = "system/*.read"  # noqa: S105  (what a token is asked for, not one)
_JSON = {"Accept": "application/json, application/fhir+json;q=0.9"}
_AUTHORIZATION = "authorization"


def manifest_place(hub: Hub, part: PartRow) -> ManifestPlace:
    """Return where a manifest is."""
    assert part.sealed is not None
    return msgspec.json.decode(unseal(hub.keys, part.sealed), type=ManifestPlace)


def file_place(hub: Hub, part: PartRow) -> FilePlace:
    """Return where a file of a manifest is, or its next page."""
    assert part.sealed is not None
    return msgspec.json.decode(unseal(hub.keys, part.sealed), type=FilePlace)


def home_of(run: Run, part: PartRow) -> ManifestPlace:
    """Return where the manifest is that a part is of."""
    with read_session(run.hub.engine) as session:
        manifest = part_of(session, run.job.id, part.manifest)
    return manifest_place(run.hub, manifest)


def fetch_manifest(run: Run, home: ManifestPlace, url: str) -> Manifest:
    """
    Return a manifest, or a page of it.

    Raises:
        ServerError: it can't be had, or is none.
        TokenRefusedError: there is no token for it.
    """
    assert home.access is not None
    server = _server(run, home, url)
    answer = server.ask(
        "GET",
        url,
        headers={**_headers(home, url), **_JSON},
        with_token=bool(home.access.oauth_urls),
    )
    return parse_manifest(answer.body, url=url)


def opened_file(
    run: Run, home: ManifestPlace, place: FilePlace, part: PartRow
) -> FileReading:
    """
    Return a file that is open, read from after the lines that are staged of it.

    One of another mark than the part's is not
    the file that it was, and is read from its first line.
    """
    servers = run.hub.servers
    reading = servers.take(run.job.id, part=part.part, line=part.lines)
    if reading is not None:
        return reading
    headers = _headers(home, place.url)
    if place.authorization is not None:
        headers["Authorization"] = place.authorization
    file = open_file(
        _server(run, home, place.url),
        place.url,
        with_token=place.with_token,
        headers=headers,
        limits=servers.limits,
    )
    line = part.lines if part.mark in {None, file.mark} else 0
    return FileReading(
        file=file,
        lines=_lines(run, home, place, file.pieces(), after=line),
        part=part.part,
        line=line,
    )


def _lines(
    run: Run,
    home: ManifestPlace,
    place: FilePlace,
    pieces: Iterable[bytes],
    *,
    after: int,
) -> Iterator[PackedLines]:
    """Return what may be kept of a file's lines; the first *after* are passed over."""
    assert home.access is not None
    source, up_to = _own_source(run, home.access), place.deleted_up_to
    coming = without_first(batches(pieces, max_line_bytes=LONGEST_LINE_BYTES), after)
    if up_to is not None:
        hub = run.hub
        return (packed(read_deletions(b, hub, source, up_to=up_to)) for b in coming)
    return run.hub.readers.read(
        run.hub,
        source,
        coming,
        scopes=None,
        max_line_bytes=LONGEST_LINE_BYTES,
    )


def _own_source(run: Run, access: ManifestAccess) -> Source:
    """Return the source, which may refer to its own by the base that it states."""
    bases = (*run.source.base_urls, access.fhir_base, run.hub.fhir_base)
    return replace(run.source, base_urls=bases)


def _headers(home: ManifestPlace, url: str) -> dict[str, str]:
    """Return the submitter's headers; who they are is told to the manifest's alone."""
    assert home.access is not None
    is_home = home.url is not None and origin_of(url) == origin_of(home.url)
    return {
        name: value
        for name, value in home.access.headers
        if is_home or name.lower() != _AUTHORIZATION
    }


def _server(run: Run, home: ManifestPlace, url: str) -> BulkServer:
    """
    Return the server of *url*, as far as this submission reaches.

    Where headers are sent a redirect leads nowhere else. The token is for the servers
    that the call itself names; files may be anywhere in public.
    """
    access = home.access
    assert access is not None
    named = {origin_of(each) for each in (home.url, access.fhir_base) if each}
    has_secrets = bool(access.headers) or home.url is None
    reach = Reach(
        origins=frozenset({origin_of(url)} | (set() if has_secrets else named)),
        token_origins=frozenset(named),
    )
    return BulkServer(
        run.hub.outbound,
        reach,
        epoch=run.hub.epoch,
        tokens=_tokens(run, access) if access.oauth_urls else None,
    )


def _tokens(run: Run, access: ManifestAccess) -> TokenHolder:
    """Return the holder of the token for a manifest, kept from step to step."""
    hub = run.hub

    def make() -> TokenHolder:
        urls = access.oauth_urls
        endpoint = token_endpoint_of(hub.outbound, urls, epoch=hub.epoch)
        credentials = _credentials(run, access, endpoint)
        return holder_of(hub.outbound, credentials, epoch=hub.epoch)

    return hub.servers.holder((run.job.id, access.oauth_urls), make)


def _credentials(run: Run, access: ManifestAccess, endpoint: str) -> Credentials:
    """
    Return as whom a token is asked for.

    As the client that the hub is at the source's server, where there is a connection to
    the base that is stated; else it is known by its own URL.
    """
    with read_session(run.hub.engine) as session:
        known = find_connection(session, run.source.source_id)
    client_id, key = run.hub.base_url, run.hub.client_key.as_dict(private=True)
    is_known = known is not None and (
        normal_base(known.fhir_base) == normal_base(access.fhir_base)
    )
    if known is not None and is_known and known.client_id is not None:
        client_id, key = known.client_id, dict(private_key(run.hub, known))
    return Credentials(
        token_endpoint=endpoint, client_id=client_id, key=key, scope=TOKEN_SCOPE
    )
