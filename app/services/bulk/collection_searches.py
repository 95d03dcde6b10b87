"""
A collection from a server that exports nothing: patient by patient, page by page.

Who is searched for comes from the members of a Group, or from the server's Patients.
Their ids are sealed, a hundred together, and go when their turn is over.
"""

from email.utils import parsedate_to_datetime
from urllib.parse import quote

import msgspec

from app.domain.calendar import epoch_ms_of, instant_of
from app.domain.errors import Severity
from app.fhir.json_documents import read_json
from app.fhir.ndjson import LONGEST_LINE_BYTES
from app.fhir.search_pages import SearchPage, as_line, member_ids, parse_page
from app.services.bulk.collection_exports import NOT_UNDERSTOOD
from app.services.bulk.collection_files import store_read
from app.services.bulk.collection_states import REMARKS, Collecting, Stage
from app.services.bulk.jobs import Again, StepEnd
from app.services.bulk.reading import read_fetched
from app.services.sealing import seal, unseal
from app.smart.bulk_errors import ServerRefusedError
from app.smart.bulk_exports import FHIR_JSON
from app.smart.bulk_manifests import is_instant
from app.smart.outbound import Answer
from app.store.connections import Connection
from app.store.sessions import WriteSession, read_session
from app.store.staging import next_staged, remove_staged, stage

PEOPLE_AT_ONCE = 100
PAGE_SIZE = 200
REFUSED = "The server refused a search; the others went on"
PATIENT = "Patient"


def list_people(collecting: Collecting) -> StepEnd:
    """
    Note who is to be searched for: a Group's members, or one page of the Patients.

    What the server says is as of its own time, which its first answer tells.
    """
    progress, connection = collecting.progress, collecting.connection
    if connection.group_id:
        url = f"{connection.fhir_base}/Group/{connection.group_id}"
        answer = _asked(collecting, url)
        group = read_json(answer.body, max_bytes=LONGEST_LINE_BYTES)
        people, next_url = tuple(dict.fromkeys(member_ids(group))), None
    else:
        first = f"{connection.fhir_base}/Patient?_count={PAGE_SIZE}"
        answer = _asked(collecting, collecting.sealed().next_url or first)
        page = parse_page(answer.body)
        people, next_url = _ids(page), page.next_url
    time = progress.transaction_time or _server_time(collecting, answer)
    sealed = msgspec.structs.replace(collecting.sealed(), next_url=next_url)
    with collecting.writing() as session:
        _stage_people(collecting, session, people)
        collecting.advance(
            session,
            stage=Stage.SEARCHING if next_url is None else Stage.STARTING,
            began_at=progress.began_at or collecting.hub.clock(),
            transaction_time=time,
            transaction_ms=epoch_ms_of(time),
            people=progress.people + len(people),
            sealed=sealed,
        )
    return Again()


def search(collecting: Collecting) -> StepEnd:
    """Fetch and store the next page of the next search for the next person."""
    progress, sealed = collecting.progress, collecting.sealed()
    if progress.person >= len(sealed.people):
        return _next_people(collecting)
    searches = tuple(_searches(collecting.connection))
    if progress.search >= len(searches):
        collecting.note(
            person=progress.person + 1, search=0, people_done=progress.people_done + 1
        )
        return Again()
    person = sealed.people[progress.person]
    url = sealed.next_url or _url(collecting, searches[progress.search], person)
    try:
        answer = _asked(collecting, url)
    except ServerRefusedError as error:
        return _refused(collecting, error)
    page = _page(answer, is_read=searches[progress.search] == PATIENT)
    with collecting.writing() as session:
        _store(collecting, session, page)
        is_last = page.next_url is None
        after = msgspec.structs.replace(sealed, next_url=page.next_url)
        collecting.advance(
            session,
            search=progress.search + is_last,
            line=progress.line + len(page.resources),
            sealed=after if after != sealed else None,
        )
    return Again()


def _searches(connection: Connection) -> list[str]:
    """Return what is asked of each person: the filters of a type, or all of it."""
    searches = []
    for type_ in connection.types:
        filters = [f for f in connection.type_filters if f.startswith(f"{type_}?")]
        searches += [PATIENT] if type_ == PATIENT else filters or [f"{type_}?"]
    return searches


def _url(collecting: Collecting, asked: str, person: str) -> str:
    base, id_ = collecting.connection.fhir_base, quote(person, safe="")
    if asked == PATIENT:
        return f"{base}/Patient/{id_}"
    joint = "" if asked.endswith("?") else "&"
    url = f"{base}/{asked}{joint}patient={id_}&_count={PAGE_SIZE}"
    if _is_incremental(collecting):
        url += f"&_lastUpdated=ge{quote(collecting.request.since or '', safe='')}"
    return url


def _is_incremental(collecting: Collecting) -> bool:
    is_understood = not collecting.progress.without_last_updated
    return is_understood and collecting.request.since is not None


def _asked(collecting: Collecting, url: str) -> Answer:
    headers = {"Accept": FHIR_JSON}
    return collecting.server.ask("GET", url, headers=headers, with_token=True)


def _page(answer: Answer, *, is_read: bool) -> SearchPage:
    if is_read:
        return SearchPage(resources=(as_line(answer.body),), next_url=None)
    return parse_page(answer.body)


def _refused(collecting: Collecting, error: ServerRefusedError) -> StepEnd:
    """
    Go on without what the server refused: `_lastUpdated` for good, or one search.

    Where nobody could be searched for the server lets the hub do nothing.
    """
    progress, sealed = collecting.progress, collecting.sealed()
    if _is_incremental(collecting) and error.status in NOT_UNDERSTOOD:
        collecting.note(without_last_updated=True)
        return Again()
    is_last_of_first = progress.people_done == 0 and not progress.line
    if is_last_of_first and progress.search + 1 >= len(
        _searches(collecting.connection)
    ):
        raise error
    with collecting.writing() as session:
        said = f"{REFUSED} ({error.status})"
        collecting.remark(session, Severity.WARNING, "incomplete", said)
        collecting.advance(
            session,
            search=progress.search + 1,
            is_whole=False,
            sealed=msgspec.structs.replace(sealed, next_url=None),
        )
    return Again()


def _store(collecting: Collecting, session: WriteSession, page: SearchPage) -> None:
    """Store the resources of a page as lines are, one after the other."""
    first = collecting.progress.line + 1
    if page.resources:
        read = read_fetched(
            page.resources, collecting.hub, collecting.run.source, first=first
        )
        store_read(collecting, session, read, part=REMARKS)


def _next_people(collecting: Collecting) -> StepEnd:
    """Take up the next hundred, who are not kept for later any more; or end."""
    hub = collecting.hub
    with read_session(hub.engine) as session:
        staged = next_staged(session, collecting.job_id)
    if staged is None:
        collecting.note(stage=Stage.CLEARING)
        return Again()
    people = msgspec.json.decode(unseal(hub.keys, staged.payload), type=tuple[str, ...])
    sealed = msgspec.structs.replace(collecting.sealed(), people=people)
    with collecting.writing() as session:
        remove_staged(session, collecting.job_id, staged)
        collecting.advance(session, person=0, search=0, sealed=sealed)
    return Again()


def _stage_people(
    collecting: Collecting, session: WriteSession, people: tuple[str, ...]
) -> None:
    """Keep ids until their turn, readable under the key alone."""
    known = collecting.progress.people
    for start in range(0, len(people), PEOPLE_AT_ONCE):
        some = msgspec.json.encode(people[start : start + PEOPLE_AT_ONCE])
        stage(
            session,
            collecting.job_id,
            part=REMARKS,
            number=known + start,
            payload=seal(collecting.hub.keys, some),
        )


def _ids(page: SearchPage) -> tuple[str, ...]:
    found = (read_json(each, max_bytes=LONGEST_LINE_BYTES) for each in page.resources)
    ids = (r.get("id") for r in found if r.get("resourceType") == PATIENT)
    return tuple(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)))


def _server_time(collecting: Collecting, answer: Answer) -> str:
    """Return when the server answered, by its own clock where it says."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("Date", "")).isoformat()
    except ValueError:
        moment = ""
    return moment if is_instant(moment) else instant_of(collecting.hub.clock())
