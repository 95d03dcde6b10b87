"""Facts and SQL texts for other engines to count, and what they count compared."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.domain.counts import COUNTS, KEY
from app.domain.errors import ConflictError, NotFoundError
from app.measures.compilation import compile_measure
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.store import clinics, engines, recounts
from app.store.concepts import all_concepts
from app.store.engines import EngineName
from app.store.exports import export_facts, write_parquet
from app.store.recounts import EventRow
from app.store.sessions import read_session

MANIFEST = "manifest.json"
FORMAT = 1
OWNER_ONLY = 0o700


class ExportedMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """A measure whose SQL text lies in the folder, as ``measures/<id>.sql``."""

    id: str
    version: str
    digest: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """
    What an exported folder holds; it is written last.

    ``as_of`` is when, in RFC 3339; ``waiting`` says that facts were there which the
    hub's own cells did not count yet. ``rows`` are of each table.
    """

    format: int
    as_of: str
    waiting: bool
    policy: str
    policy_digest: str
    rows: dict[str, int]
    measures: tuple[ExportedMeasure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The cells of one measure as an engine counted them, in the order of their key."""

    measure: ExportedMeasure
    cells: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A cell in which the hub and an engine differ; None: there is no such cell."""

    measure_id: str
    hub: EventRow | None
    engine: EventRow | None


def export(hub: Hub, folder: Path) -> Manifest:
    """
    Write the facts, each measure's SQL text and a manifest into a new *folder*.

    All of one moment; what clinics count themselves is no part of it. Only its owner
    may enter it: rows of days and months are still those of persons, as in the
    database.

    Raises:
        ConflictError: There is something in the folder.
        NotSupportedError: What writes Parquet is not installed.
    """
    _make_empty(folder)
    with read_session(hub.engine) as session:
        concepts = all_concepts(session)
        counted = [measure for measure in hub.measures if measure.summary is None]
        for measure in counted:
            text_file(folder, measure.id).write_text(compile_measure(measure, concepts))
        manifest = Manifest(
            format=FORMAT,
            as_of=datetime.fromtimestamp(hub.clock() // 1000, UTC).isoformat(),
            waiting=recounts.waiting_since(session, clinic_id=None) is not None,
            policy=hub.policy.terms.id,
            policy_digest=hub.policy.digest,
            rows=export_facts(session, folder),
            measures=tuple(
                ExportedMeasure(id=m.id, version=m.version, digest=m.digest)
                for m in counted
            ),
        )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(encoded + b"\n")
    return manifest


def text_file(folder: Path, measure_id: str) -> Path:
    """Return where a measure's SQL text is."""
    return folder / "measures" / f"{measure_id}.sql"


def _make_empty(folder: Path) -> None:
    folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        msg = f"There is something in {folder} already; name a new folder"
        raise ConflictError(msg)
    folder.chmod(OWNER_ONLY)
    (folder / "measures").mkdir()


def read_manifest(folder: Path) -> Manifest:
    """
    Return what *folder* holds.

    Raises:
        NotFoundError: Nothing was exported there, or not to its end.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
        return msgspec.json.decode(text, type=Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        msg = f"{folder} is not what `catchment export` leaves when it has ended"
        raise NotFoundError(msg) from None


def recount(
    folder: Path, engine: EngineName, *, master: str = engines.LOCAL
) -> Iterator[Counted]:
    """
    Yield the cells of each exported measure, counted by *engine* from nothing.

    Raises:
        NotFoundError: Nothing was exported to *folder*.
        NotSupportedError: The engine is not installed.
    """
    manifest = read_manifest(folder)
    with engines.opened(engine, folder, master=master) as run:
        for measure in manifest.measures:
            events = text_file(folder, measure.id).read_text()
            rows = sorted(run(recounts.summed(events)))
            cells = tuple(map(recounts.event_row, rows))
            yield Counted(measure=measure, cells=cells)


def differences(hub: Hub, counted: Counted) -> list[Difference]:
    """
    Return where the hub's live cells of a measure are not what an engine counted.

    Raises:
        ConflictError: The hub does not count that definition, or not all of it yet.
    """
    with read_session(hub.engine) as session:
        row = measure_rows(session, hub).get(counted.measure.id)
        if row is None or row.digest != counted.measure.digest or not row.counted:
            msg = f"The hub has not counted {counted.measure.id} as it was exported"
            raise ConflictError(msg)
        everybody = clinics.all_clinics(session)
        ids = [clinic.id for clinic in everybody if clinic.id is not None]
        events = recounts.read_events(session, row.id, clinic_ids=ids)
    live = _by_key(events)
    found = _by_key(counted.cells)
    return [
        Difference(
            measure_id=counted.measure.id, hub=live.get(key), engine=found.get(key)
        )
        for key in sorted(live.keys() | found.keys())
        if live.get(key) != found.get(key)
    ]


def save_cells(path: Path, counted: Sequence[Counted]) -> None:
    """
    Write cells as one Parquet file.

    Raises:
        NotSupportedError: What writes Parquet is not installed.
    """
    kinds = {"measure": "string", "version": "string", "clinic_id": "int32"}
    kinds |= dict.fromkeys(KEY, "int32") | dict.fromkeys(COUNTS, "int64")
    write_parquet(path, kinds, [[line for one in counted for line in lines(one)]])


def lines(counted: Counted) -> Iterator[tuple[str | int, ...]]:
    """Yield a line for each cell: measure, version, clinic, key, counts."""
    measure = counted.measure
    for cell in counted.cells:
        yield (measure.id, measure.version, *key_of(cell), *cell.counts)


HEADER = ("measure", "version", "clinic_id", *KEY, *COUNTS)


def key_of(cell: EventRow) -> tuple[int, ...]:
    """Return what tells a measure's cells apart: the clinic, then ``KEY``."""
    return (cell.clinic_id, *(getattr(cell, name) for name in KEY))


def _by_key(cells: Iterable[EventRow]) -> dict[tuple[int, ...], EventRow]:
    """Return the cells in which anything changes, by their key."""
    return {key_of(cell): cell for cell in cells if any(cell.counts)}
