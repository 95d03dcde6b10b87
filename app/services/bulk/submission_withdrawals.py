"""
What a manifest that replaces another one withdraws: what that held and nothing else.

A record that came by another way since, or is in another manifest too, stays. Where
the new manifest was not loaded whole, nothing is withdrawn: what it lacks is not known.
"""

from app.domain.errors import IssueType, Severity
from app.services import intake
from app.services.bulk.jobs import Run
from app.store import bulk_submissions as rows
from app.store.bulk_submissions import PartKind, PartRow, PartState
from app.store.delivered import delivered_only_by, forget_delivered
from app.store.job_outcomes import add_remark
from app.store.meetings import keep_others_out
from app.store.sessions import WriteSession, read_session, write_session

AT_ONCE = 500
LEFT = "The manifest was not loaded whole, so what it replaces was left as it is"


def withdraw_replaced(run: Run) -> bool:
    """Withdraw the next of what was replaced; return whether there was any to do."""
    with read_session(run.hub.engine) as session:
        part = rows.replacing_part(session, run.job.id)
        if part is None:
            return False
        is_whole = _is_whole(rows.parts_of(session, run.job.id), part)
        assert part.replaces_job is not None
        held = [
            each
            for each in rows.parts_of(session, part.replaces_job)
            if part.replaces_part in {None, each.manifest}
            and each.state is not PartState.REPLACED
        ]
    with write_session(run.hub.engine, client_id=run.job.client_id) as session:
        run.advance(session)
        if not is_whole:
            _leave(session, run, part)
        elif held:
            _withdraw(session, run, part, held[0])
        else:
            rows.change_part(session, part, replaces_job=None, replaces_part=None)
    return True


def _is_whole(parts: list[PartRow], manifest: PartRow) -> bool:
    """Return whether all of a manifest was loaded."""
    return not any(
        each.state is PartState.FAILED
        for each in parts
        if each.manifest == manifest.part
    )


def _leave(session: WriteSession, run: Run, part: PartRow) -> None:
    """Replace nothing, and say so."""
    add_remark(
        session,
        run.job.id,
        Severity.ERROR,
        IssueType.BUSINESS_RULE,
        LEFT,
        part=part.part,
        expression="replacesManifestUrl",
    )
    rows.change_part(session, part, replaces_job=None, replaces_part=None)


def _withdraw(
    session: WriteSession, run: Run, part: PartRow, replaced: PartRow
) -> None:
    """Withdraw some records of a replaced part; it is done with where none is left."""
    keep_others_out(session, run.source.clinic_id)
    found: list[int] = []
    if replaced.kind is PartKind.FILE:
        found = delivered_only_by(
            session, replaced.job_id, part=replaced.part, limit=AT_ONCE
        )
    intake.withdraw_all(session, run.hub, run.source, found, up_to=None)
    rows.note_taken_back(session, run.job.id, found, part=part.part)
    if not found:
        forget_delivered(session, replaced.job_id, part=replaced.part)
        rows.change_part(session, replaced, state=PartState.REPLACED.value)
