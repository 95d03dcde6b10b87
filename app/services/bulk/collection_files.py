"""A collection's files: each read as it comes, and stored chunk by chunk."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.deliveries import (
    LineBatch,
    PackedLines,
    ReadLines,
    unpacked,
)
from app.domain.errors import ServiceError, Severity
from app.fhir.json_documents import objects_in, read_json
from app.fhir.ndjson import LONGEST_LINE_BYTES, batches, without_first
from app.services.bulk.collection_exports import renew
from app.services.bulk.collection_filters import store_wanted
from app.services.bulk.collection_states import Collecting, FileRef, Role, Stage
from app.services.bulk.jobs import Again, StepEnd
from app.services.bulk.open_servers import FileReading, Lines
from app.services.bulk.withdrawals import read_deletions, withdraw_read
from app.smart.bulk_errors import AccessRefusedError, NoLongerThereError
from app.smart.bulk_files import open_file
from app.smart.bulk_servers import ISSUE_TYPES
from app.store.delivered import note_delivered
from app.store.job_outcomes import counts_of, forget_outcomes
from app.store.records import find_by_alias
from app.store.sessions import WriteSession

REPORTED = "The server reports this of what it exported"
SEVERITIES = {**{each.value: each for each in Severity}, "fatal": Severity.ERROR}


def read_files(collecting: Collecting) -> StepEnd:
    """Store the next lines of the file that it is at, or end that file."""
    progress, files = collecting.progress, collecting.sealed().files
    if progress.part >= len(files):
        collecting.note(stage=Stage.CLEARING)
        return Again()
    ref = files[progress.part]
    try:
        reading = _reading(collecting, ref)
    except NoLongerThereError:
        return renew(collecting)
    except AccessRefusedError:
        if ref.needs_token:
            raise
        return renew(collecting)  # a signed URL that has expired is often a 403
    with collecting.hub.servers.next_of(collecting.job_id, reading) as lines:
        if lines is None:
            _end_file(collecting, ref)
        else:
            _store(collecting, ref, lines, mark=reading.file.mark)
    return Again()


def _reading(collecting: Collecting, ref: FileRef) -> FileReading:
    """Return the file, open after the last line that is stored of it."""
    servers, progress = collecting.hub.servers, collecting.progress
    reading = servers.take(collecting.job_id, part=progress.part, line=progress.line)
    if reading is not None:
        return reading
    file = open_file(
        collecting.server,
        ref.url,
        with_token=ref.needs_token,
        limits=servers.limits,
    )
    if progress.line and progress.mark != file.mark:
        # Another version of it: what its lines were called is no more.
        with collecting.writing() as session:
            forget_outcomes(session, collecting.job_id, part=progress.part + 1)
            collecting.advance(session, line=0, mark="")
    line = collecting.progress.line
    return FileReading(
        file=file,
        lines=_lines(collecting, ref, file.pieces(), after=line),
        part=progress.part,
        line=line,
    )


def _lines(
    collecting: Collecting, ref: FileRef, pieces: Iterable[bytes], *, after: int
) -> Iterator[PackedLines] | Iterator[LineBatch]:
    """Return what comes of a file after a line, read where it is of resources."""
    cut = batches(pieces, max_line_bytes=LONGEST_LINE_BYTES)
    coming = without_first(cut, after)
    if ref.role is not Role.OUTPUT:
        return coming
    return collecting.hub.readers.read(
        collecting.hub,
        collecting.run.source,
        coming,
        scopes=None,
        max_line_bytes=LONGEST_LINE_BYTES,
    )


def _store(
    collecting: Collecting,
    ref: FileRef,
    lines: Lines,
    *,
    mark: str,
) -> None:
    """Store lines, and that they are stored."""
    is_whole = collecting.progress.is_whole
    with collecting.writing() as session:
        if isinstance(lines, PackedLines):
            store_read(collecting, session, unpacked(lines.payload))
        elif ref.role is Role.DELETED:
            _withdraw(collecting, session, lines)
        elif _note_complaints(collecting, session, lines):
            is_whole = False
        collecting.advance(
            session, line=lines.last, mark=mark, renewals=0, is_whole=is_whole
        )


def store_read(
    collecting: Collecting,
    session: WriteSession,
    read: ReadLines,
    *,
    part: int | None = None,
) -> None:
    """Store what was read and is wanted; see ``store_wanted``."""
    progress = collecting.progress
    part = progress.part + 1 if part is None else part
    wanted = store_wanted(
        session,
        collecting.hub,
        collecting.run.source,
        collecting.connection,
        read,
        order=progress.transaction_ms,
        job_id=collecting.job_id,
        part=part,
        notes_records=collecting.request.is_snapshot,
    )
    received = collecting.run.job.received + read.last - read.first + 1
    collecting.run.change(session, received=received)
    if collecting.request.is_snapshot:
        _note_refused(collecting, session, wanted, part)


def _note_refused(
    collecting: Collecting, session: WriteSession, read: ReadLines, part: int
) -> None:
    """Note that a snapshot held what it holds, though a version of it was refused."""
    names = [name for issue in read.issues for name in issue.names]
    held = [(record_id, 0) for record_id in find_by_alias(session, names).values()]
    note_delivered(session, collecting.job_id, sorted(set(held)), part=part)


def _withdraw(collecting: Collecting, session: WriteSession, batch: LineBatch) -> None:
    """Take back what the Bundles of *batch* say is deleted."""
    hub, source, progress = collecting.hub, collecting.run.source, collecting.progress
    read = read_deletions(batch, hub, source, up_to=progress.transaction_ms)
    part = progress.part + 1
    withdraw_read(session, hub, source, read, job_id=collecting.job_id, part=part)


def _note_complaints(
    collecting: Collecting, session: WriteSession, batch: LineBatch
) -> bool:
    """
    Note what the server says of its export; return whether it lacks something.

    Of each issue its severity and its code, where FHIR lists it, and no words.
    """
    said: Counter[tuple[Severity, str]] = Counter()
    for outcome in _documents(batch):
        for issue in objects_in(outcome.get("issue")):
            severity = SEVERITIES.get(str(issue.get("severity")), Severity.ERROR)
            code = issue.get("code")
            said[severity, code if code in ISSUE_TYPES else "unknown"] += 1
    part = collecting.progress.part + 1
    for (severity, code), count in said.items():
        collecting.remark(session, severity, code, REPORTED, part=part, count=count)
    return any(severity is Severity.ERROR for severity, _ in said)


def _documents(batch: LineBatch) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each line that is one."""
    for line in batch.body.split(b"\n"):
        if line and not line.isspace():
            try:
                yield read_json(line, max_bytes=LONGEST_LINE_BYTES)
            except ServiceError:
                yield {"issue": [{"severity": "error", "code": "structure"}]}


def _end_file(collecting: Collecting, ref: FileRef) -> None:
    """Compare what came with what the manifest says, and go on to the next file."""
    progress = collecting.progress
    part, is_whole = progress.part + 1, progress.is_whole
    with collecting.writing() as session:
        rows = counts_of(session, collecting.job_id)
        came = sum(row.count for row in rows if row.part == part)
        if ref.role is Role.OUTPUT and ref.count not in {None, came}:
            said = f"The manifest tells of {ref.count:,} resources, and {came:,} came"
            collecting.remark(session, Severity.WARNING, "incomplete", said, part=part)
            is_whole = is_whole and came >= (ref.count or 0)
        collecting.advance(
            session,
            part=progress.part + 1,
            line=0,
            mark="",
            renewals=0,
            is_whole=is_whole,
        )
