"""Manifests of a submission, read page by page: each file of theirs becomes a part."""

from collections.abc import Iterator, Sequence

import msgspec

from app.fhir.bulk_submissions import FilePlace, ManifestPlace
from app.services.bulk import submission_files as files
from app.services.bulk.jobs import Run
from app.services.sealing import seal
from app.smart.bulk_errors import UnreadableAnswerError
from app.smart.bulk_manifests import Manifest, ManifestFile
from app.store import bulk_submissions as rows
from app.store.bulk_submissions import FILES, PartKind, PartRow, PartState
from app.store.sessions import WriteSession, write_session


def read_manifest(run: Run, part: PartRow) -> None:
    """
    Read a manifest, or the next page of it, whose files are parts from then on.

    Raises:
        ServerError: it can't be had, is none, or leads back to itself.
        TokenRefusedError: there is no token for it.
    """
    home = files.home_of(run, part)
    is_first = part.kind is PartKind.MANIFEST
    url = home.url if is_first else files.file_place(run.hub, part).url
    assert url is not None
    manifest = files.fetch_manifest(run, home, url)
    with write_session(run.hub.engine) as session:
        run.advance(session)
        if not rows.change_part(session, part, state=PartState.READ.value):
            return  # it was replaced meanwhile
        parts = rows.parts_of(session, run.job.id)
        known = [each for each in parts if each.manifest == part.manifest]
        _refuse_circle(run, manifest, known)
        _Page(run, part, manifest, home).add_parts(session, known)


def _refuse_circle(run: Run, manifest: Manifest, known: Sequence[PartRow]) -> None:
    """Refuse a manifest whose pages lead back to one that was read."""
    if manifest.next_url is None:
        return
    read = {
        files.manifest_place(run.hub, each).url
        if each.kind is PartKind.MANIFEST
        else files.file_place(run.hub, each).url
        for each in known
        if each.kind not in FILES
    }
    if manifest.next_url in read:
        msg = "The manifest's pages lead back to themselves"
        raise UnreadableAnswerError(msg, expression="link")


class _Page:
    """A page of a manifest, and what it names."""

    def __init__(
        self, run: Run, part: PartRow, manifest: Manifest, home: ManifestPlace
    ) -> None:
        self._run = run
        self._part = part
        self._manifest = manifest
        self._has_tokens = home.access is not None and bool(home.access.oauth_urls)

    def add_parts(self, session: WriteSession, known: Sequence[PartRow]) -> None:
        """
        Add the files and the next page as parts, beside those that are *known*.

        Parts are stored by their numbers: what any page says was deleted comes before
        what any page says is there.
        """
        job_id, said = self._run.job.id, self._manifest
        for kind, listed in (
            (PartKind.DELETED, said.deleted),
            (PartKind.FILE, said.output),
        ):
            after = rows.last_part(session, job_id)
            place = sum(each.kind is kind for each in known)
            parts = self._files(kind, listed, after=after, place=place)
            rows.add_parts(session, parts)
            if kind is PartKind.DELETED and listed:
                rows.put_files_last(session, job_id, manifest=self._part.manifest)
        if said.next_url is not None:
            number = rows.last_part(session, job_id) + 1
            rows.add_parts(session, [self._next(said.next_url, number)])

    def _files(
        self, kind: PartKind, listed: Sequence[ManifestFile], *, after: int, place: int
    ) -> Iterator[PartRow]:
        """Yield parts numbered from *after*; *place* of their kind are there."""
        said, is_output = self._manifest, kind is PartKind.FILE
        for number, each in enumerate(listed, 1):
            yield PartRow(
                job_id=self._run.job.id,
                part=after + number,
                manifest=self._part.manifest,
                kind=kind,
                place=place + number,
                told=each.count if is_output else None,
                sealed=self._sealed(
                    FilePlace(
                        url=each.url,
                        with_token=said.requires_token and self._has_tokens,
                        deleted_up_to=None if is_output else said.transaction_ms,
                    )
                ),
            )

    def _next(self, url: str, number: int) -> PartRow:
        return PartRow(
            job_id=self._run.job.id,
            part=number,
            manifest=self._part.manifest,
            kind=PartKind.PAGE,
            sealed=self._sealed(FilePlace(url=url, with_token=self._has_tokens)),
        )

    def _sealed(self, place: FilePlace) -> bytes:
        return seal(self._run.hub.keys, msgspec.json.encode(place))
