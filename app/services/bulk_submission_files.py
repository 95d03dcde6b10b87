"""The manifests of a submission and their files, fetched as a SMART client."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from app.domain.clinics import Source
from app.domain.deliveries import PackedLines
from app.fhir.bulk_submissions import FilePlace, ManifestAccess, ManifestPlace
from app.fhir.ndjson import batches
from app.services.hub import Hub
from app.services.jobs import Run
from app.services.open_deliveries import OpenDelivery
from app.services.sealing import unseal
from app.smart.bulk_files import open_file
from app.smart.bulk_manifests import Manifest, parse_manifest
from app.smart.bulk_servers import BulkServer
from app.smart.bulk_tokens import Credentials, TokenHolder, holder_of
from app.smart.oauth_metadata import token_endpoint_of
from app.smart.outbound import Reach, origin_of
from app.store.bulk_submissions import PartRow

LONGEST_LINE_BYTES = 32 * 1024 * 1024
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
) -> OpenDelivery:
    """Return a file that is open, its lines read from where it was gone on with."""
    opened = run.hub.deliveries.of(run.job.id, now=run.hub.clock())
    if opened.part == part.part:
        return opened
    opened.close()
    headers = _headers(home, place.url)
    if place.authorization is not None:
        headers["Authorization"] = place.authorization
    opened.file = open_file(
        _server(run, home, place.url),
        place.url,
        with_token=place.with_token,
        headers=headers,
    )
    opened.part = part.part
    after = part.lines if part.mark in {None, opened.file.mark} else 0
    opened.lines = _lines(run, home, opened.file.pieces(), after=after)
    return opened


def _lines(
    run: Run, home: ManifestPlace, pieces: Iterable[bytes], *, after: int
) -> Iterator[PackedLines]:
    """Yield what may be kept of a file's lines; the first *after* are passed over."""
    assert home.access is not None
    return run.hub.readers.read(
        run.hub,
        _own_source(run, home.access),
        batches(
            _behind(pieces, lines=after), max_line_bytes=LONGEST_LINE_BYTES, after=after
        ),
        scopes=None,
        max_line_bytes=LONGEST_LINE_BYTES,
    )


def _behind(pieces: Iterable[bytes], *, lines: int) -> Iterator[bytes]:
    """Yield what comes after so many lines."""
    left = lines
    for piece in pieces:
        if not left:
            yield piece
            continue
        ends = piece.count(b"\n")
        if ends < left:
            left -= ends
            continue
        place = -1
        for _ in range(left):
            place = piece.index(b"\n", place + 1)
        left = 0
        yield piece[place + 1 :]


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
        epoch=lambda: run.hub.clock() // 1000,
        tokens=_tokens(run, access) if access.oauth_urls else None,
    )


def _tokens(run: Run, access: ManifestAccess) -> TokenHolder:
    """Return the holder of the token for a manifest, kept while the job is open."""
    hub = run.hub
    opened = hub.deliveries.of(run.job.id, now=hub.clock())
    holder = opened.tokens.get(access.oauth_urls)
    if holder is None:
        credentials = Credentials(
            token_endpoint=token_endpoint_of(
                hub.outbound, access.oauth_urls, epoch=lambda: hub.clock() // 1000
            ),
            client_id=hub.base_url,
            key=_own_key(hub),
            scope=TOKEN_SCOPE,
        )
        holder = holder_of(hub.outbound, credentials, epoch=lambda: hub.clock() // 1000)
        opened.tokens[access.oauth_urls] = holder
    return holder


def _own_key(hub: Hub) -> Mapping[str, object]:
    return hub.client_key.as_dict(private=True)
