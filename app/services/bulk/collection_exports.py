"""A collection by export: started, waited for, its manifest made a list of files."""

from collections.abc import Iterator

import msgspec

from app.services.bulk.collection_states import (
    Collecting,
    CollectSealed,
    FileRef,
    Role,
    Stage,
)
from app.services.bulk.jobs import Again, StepEnd
from app.smart.bulk_errors import (
    NoLongerThereError,
    ServerRefusedError,
    UnboundedError,
)
from app.smart.bulk_exports import (
    Level,
    Order,
    UnderWay,
    clear_away,
    kick_off,
    next_page,
    poll,
)
from app.smart.bulk_manifests import MOST_FILES, Manifest
from app.store.delivered import forget_delivered
from app.store.job_outcomes import forget_outcomes
from app.store.sessions import WriteSession

LONGEST_EXPORT_MS = 30 * 24 * 3600 * 1000
LONGEST_PAUSE_SECONDS = 15 * 60
"""So often an export is asked after, whatever longer pause its server would like."""
FIRST_PAUSE_SECONDS = 1
MOST_PAGES = 1_000
MOST_RESTARTS = 3
NOT_UNDERSTOOD = frozenset({400, 422, 501})


def start(collecting: Collecting) -> StepEnd:
    """
    Ask for an export; without filters where the server knows none.

    They are applied here in any case.
    """
    progress = collecting.progress
    order = _order(collecting)
    try:
        url = kick_off(collecting.server, collecting.connection.fhir_base, order)
    except ServerRefusedError as error:
        if order.type_filters and error.status in NOT_UNDERSTOOD:
            collecting.note(without_filters=True)
            return Again()
        raise
    collecting.note(
        stage=Stage.EXPORTING,
        began_at=collecting.hub.clock(),
        polls=0,
        percent=None,
        renewals=progress.renewals,
        sealed=CollectSealed(status_url=url),
    )
    return Again()


def _order(collecting: Collecting) -> Order:
    connection = collecting.connection
    filters = () if collecting.progress.without_filters else connection.type_filters
    return Order(
        level=Level(connection.level),
        group_id=connection.group_id,
        types=connection.types,
        type_filters=filters,
        since=collecting.request.since,
    )


def wait(collecting: Collecting) -> StepEnd:
    """
    Ask after the export once; where it is ready, list its files.

    Raises:
        UnboundedError: it has gone on for thirty days.
    """
    progress, now = collecting.progress, collecting.hub.clock()
    status_url = collecting.sealed().status_url
    assert status_url is not None
    if now - progress.began_at > LONGEST_EXPORT_MS:
        clear_away(collecting.server, status_url)
        msg = "The export is not ready after thirty days"
        raise UnboundedError(msg)
    try:
        said = poll(collecting.server, status_url, now=now // 1000)
        if isinstance(said, UnderWay):
            collecting.note(polls=progress.polls + 1, percent=said.percent)
            return Again(1000 * _pause(said, progress.polls))
        files = tuple(_files(collecting, said))
    except NoLongerThereError:
        return restart(collecting)
    _list_files(collecting, said, files)
    return Again()


def _pause(said: UnderWay, polls: int) -> int:
    """Return the seconds until it is asked again: as the server likes, or doubled."""
    asked = said.retry_after_seconds
    if asked is None:
        asked = FIRST_PAUSE_SECONDS << min(polls, 20)
    return max(FIRST_PAUSE_SECONDS, min(asked, LONGEST_PAUSE_SECONDS))


def _files(collecting: Collecting, manifest: Manifest) -> Iterator[FileRef]:
    """
    Yield all files of a manifest: what is deleted first, what is there after.

    Each must be within reach, before any of them is read.
    """
    pages = [*_pages(collecting, manifest)]
    listed = {
        Role.DELETED: [(page, file) for page in pages for file in page.deleted],
        Role.OUTPUT: [(page, file) for page in pages for file in page.output],
        Role.ERRORS: [(page, file) for page in pages for file in page.errors],
    }
    if sum(map(len, listed.values())) > MOST_FILES:
        msg = "The manifest lists more files than are fetched"
        raise UnboundedError(msg)
    for role, files in listed.items():
        for page, file in files:
            collecting.server.reach.check(file.url)
            yield FileRef(
                url=file.url,
                role=role,
                count=file.count,
                needs_token=page.requires_token,
            )


def _pages(collecting: Collecting, first: Manifest) -> Iterator[Manifest]:
    """Yield the pages of a manifest; one that leads back to another is refused."""
    page, met = first, {collecting.sealed().status_url}
    yield page
    while page.next_url is not None:
        if page.next_url in met or len(met) > MOST_PAGES:
            msg = "The manifest's pages have no end"
            raise UnboundedError(msg)
        met.add(page.next_url)
        page = next_page(collecting.server, page.next_url)
        yield page


def _list_files(
    collecting: Collecting, manifest: Manifest, files: tuple[FileRef, ...]
) -> None:
    """Go on where the same manifest was left, or begin with another."""
    progress, sealed = collecting.progress, collecting.sealed()
    is_same = progress.transaction_time == manifest.transaction_time
    is_same = is_same and progress.files == len(files)
    with collecting.writing() as session:
        if not is_same:
            forget_parts(collecting, session)
        place = {} if is_same else {"part": 0, "line": 0, "mark": ""}
        collecting.advance(
            session,
            stage=Stage.READING,
            transaction_time=manifest.transaction_time,
            transaction_ms=manifest.transaction_ms,
            files=len(files),
            percent=None,
            **place,
            sealed=msgspec.structs.replace(sealed, files=files),
        )


def restart(collecting: Collecting) -> StepEnd:
    """Ask for the whole export anew; what is stored of it is met again, not doubled."""
    restarts = collecting.progress.restarts + 1
    if restarts > MOST_RESTARTS:
        msg = "The server loses its exports before they can be read"
        raise UnboundedError(msg)
    collecting.note(
        stage=Stage.STARTING,
        restarts=restarts,
        renewals=0,
        transaction_time=None,
        sealed=CollectSealed(),
    )
    return Again()


def renew(collecting: Collecting) -> StepEnd:
    """
    Ask for the manifest again, as a file of it has gone: its URLs may have expired.

    Where that has been tried at this file, the export itself is gone.
    """
    if collecting.progress.renewals:
        return restart(collecting)
    collecting.note(stage=Stage.EXPORTING, renewals=1)
    return Again()


def forget_parts(collecting: Collecting, session: WriteSession) -> None:
    """Forget what became of files that are read from the first again."""
    for part in range(1, collecting.progress.files + 1):
        forget_outcomes(session, collecting.job_id, part=part)
        forget_delivered(session, collecting.job_id, part=part)
