"""What the maps of sources make of kept content, wherever it is counted or shown."""

from collections.abc import Iterable, Sequence

from app.domain.records import Content
from app.domain.translations import Translations, local_codes, translated
from app.store.concept_maps import Targets, find_targets
from app.store.records import StoredRecord
from app.store.sessions import ReadSession

Written = tuple[StoredRecord, Content]


def as_counted(session: ReadSession, written: Sequence[Written]) -> list[Written]:
    """Return records with their contents as these count: local codes translated."""
    codes = [local_codes(content) for _, content in written]
    targets = find_targets(
        session,
        {
            (record.source_id, code)
            for (record, _), of_one in zip(written, codes, strict=True)
            for code in of_one
        },
    )
    return [
        (record, translated(content, _of(targets, record.source_id, of_one)))
        for (record, content), of_one in zip(written, codes, strict=True)
    ]


def translations_of(
    session: ReadSession, content: Content, *, source_id: int
) -> Translations:
    """Return what the local codes in *content* count as by the map of a source."""
    codes = local_codes(content)
    targets = find_targets(session, {(source_id, code) for code in codes})
    return _of(targets, source_id, codes)


def _of(targets: Targets, source_id: int, codes: Iterable[str]) -> Translations:
    places = {code: (source_id, code) for code in codes}
    return {code: targets[at] for code, at in places.items() if at in targets}
