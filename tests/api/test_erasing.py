"""A person erased: nothing of them is left, and nothing of them comes in again."""

import gc
import io
import os
import sys
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import inspect, text

from app import cli
from app.services import recounts as counting
from app.services import registry
from app.services.hub import Hub
from app.settings import Settings
from app.store import recounts, tables
from app.store.sessions import write_session
from tests import make
from tests.api.test_at_once import address, at_once, headers_of, sender
from tests.api.test_counting import cells_of, count, diabetic, result
from tests.api.test_joins import acts_of, replacing
from tests.hubs import Caller, Network, current_of

pytestmark = pytest.mark.anyio

__all__ = ["address"]

SCOPES = (*registry.CLINIC_SCOPES, "system/purge")
MRN_OF_A = make.identifier("M-a")


def counts_in(answer: httpx.Response) -> dict[str, int]:
    """Return how many of each type a $purge says it erased."""
    assert answer.status_code == 200, answer.text
    parts = [parameter["part"] for parameter in answer.json()["parameter"]]
    return {type_["valueCode"]: n["valueInteger"] for type_, n in parts}


async def purge(ehr: Caller, own_id: str) -> httpx.Response:
    return await ehr.call("POST", f"/Patient/{own_id}/$purge")


def everything_of_a() -> list[dict]:
    """Return entries about someone of two charts, an MRN, and results by each."""
    return [
        *diabetic("a"),
        make.put(make.patient(id="a", birthDate="1970-05-01", identifier=[MRN_OF_A])),
        make.put(make.patient(id="a2", **replacing("a"))),
        make.put(result("a2", 9.5, day="2026-02-03", own_id="r2")),
        make.put(make.lab(7.7, id="r3", subject={"identifier": MRN_OF_A})),
        make.post(make.lab(8.8, subject=make.reference("Patient/a"))),
    ]


NAMES_OF_A = [
    make.reference("Patient/a"),
    make.reference("Patient/a2"),
    {"identifier": MRN_OF_A},
    make.reference(f"Patient?identifier={make.MRN}|M-a"),
    make.reference("https://ehr.example/fhir/Patient/a"),
    make.reference("urn:uuid:a"),
]


@pytest.mark.parametrize("own_id", ["a", "a2", "hub"])
async def test_all_of_a_person_goes_by_any_of_their_names(
    hub: Hub, network: Network, own_id: str
):
    """Both charts, the results by each name; the neighbour's numbers stay."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*diabetic("b")))
    count(hub)
    cells = cells_of(hub)
    await ehr.send(make.batch(*everything_of_a()))
    count(hub)
    keys = alias_keys(hub)
    of_hub = (await ehr.read("Observation/r2")).json()["subject"]["reference"]
    name = of_hub.removeprefix("Patient/") if own_id == "hub" else own_id

    erased = counts_in(await purge(ehr, name))
    left = keys - alias_keys(hub)
    count(hub)

    assert erased == {"Patient": 2, "Encounter": 1, "Observation": 3, "Condition": 1}
    assert current_of(hub.engine) == {"Patient": 1, "Encounter": 1, "Condition": 1}
    assert cells_of(hub) == cells
    assert len(left) == 7
    stored = dumped_rows(hub)
    assert not any(key in stored or repr(key)[2:-1].encode() in stored for key in left)
    assert len(rows(hub, "subject")) == 1
    for path in ("Patient/a", "Patient/a2", of_hub):
        assert (await ehr.read(path)).status_code == 410
    assert (await ehr.read("Observation/r2")).status_code == 404


def rows(hub: Hub, table: str) -> list[tuple]:
    with hub.engine.connect() as connection:
        return [tuple(r) for r in connection.execute(text(f"SELECT * FROM {table}"))]


def alias_keys(hub: Hub) -> set[bytes]:
    """Return all keyed names that are stored."""
    return {bytes(row[0]) for row in rows(hub, "alias")}


def dumped_rows(hub: Hub) -> bytes:
    """Return every live row, bytes as they are."""
    names = inspect(hub.engine).get_table_names()
    values = (value for name in names for row in rows(hub, name) for value in row)
    return b"\n".join(
        value if isinstance(value, bytes) else repr(value).encode() for value in values
    )


async def test_no_row_refers_to_who_was_erased(hub: Hub, network: Network):
    """Whatever table is added with a subject or a record in it must be erased too."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*everything_of_a()))
    count(hub)
    gone = {row[0] for row in rows(hub, "record")}

    await purge(ehr, "a")
    count(hub)

    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            if column.name in REFERRING and table.name not in OF_CLINICS:
                with hub.engine.connect() as connection:
                    found = connection.execute(
                        text(f"SELECT {column.name} FROM {table.name}")
                    )
                    assert gone.isdisjoint(found.scalars()), (table.name, column.name)


REFERRING = ("subject_id", "record_id", "other_id", "joined_to", "twin_id", "id")
OF_CLINICS = frozenset(
    {"audit", "clinic", "source", "concept", "measure", "release", "record"}
)
"""Tables whose ``id`` is another's; the record's is looked at by its subject."""


async def test_the_cells_equal_a_count_from_nothing(hub: Hub, network: Network):
    """Counted out by the worker as any other change."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*diabetic("b"), *everything_of_a()))
    count(hub)

    await purge(ehr, "a")
    waiting = counting.recount_dirty(hub, holder="test")
    stepwise = cells_of(hub)
    with write_session(hub.engine) as session:
        for row in recounts.known_measures(session):
            counting.recount_in_full(session, hub, row.id)

    assert waiting
    assert stepwise == cells_of(hub)
    assert stepwise


@pytest.mark.parametrize("subject", NAMES_OF_A, ids=range(len(NAMES_OF_A)))
async def test_nothing_about_them_comes_in_again(
    hub: Hub, network: Network, subject: dict
):
    """Single, in a batch, in a transaction: 422 for its subject, and not who."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*everything_of_a()))
    await purge(ehr, "a")
    count(hub)
    before = current_of(hub.engine)
    lab, visit = make.lab(7.1, subject=subject), make.encounter(subject=subject)

    single = await ehr.post(lab)
    whole = await ehr.call("POST", "", make.transaction(make.post(visit)))
    batch = await ehr.call(
        "POST", "", make.batch(make.post(lab), make.post(make.lab(5.5)))
    )

    assert [single.status_code, whole.status_code] == [422, 422]
    assert issue_of(single.json()) == ("business-rule", "Observation.subject")
    expression = "Bundle.entry[0].resource.subject"
    assert issue_of(whole.json()) == ("business-rule", expression)
    first, second = (entry["response"] for entry in batch.json()["entry"])
    assert (first["status"], second["status"]) == ("422", "201")
    assert issue_of(first["outcome"]) == ("business-rule", expression)
    assert current_of(hub.engine) == before | {"Observation": 1}


def issue_of(outcome: dict) -> tuple[str, str]:
    (issue,) = outcome["issue"]
    return issue["code"], issue["expression"][0]


@pytest.mark.parametrize(
    ("patient", "expression"),
    [
        (make.patient(id="a"), "Patient.id"),
        (make.patient(id="new", identifier=[MRN_OF_A]), "Patient.identifier"),
        (make.patient(identifier=[MRN_OF_A]), "Patient.identifier"),
        (make.patient(id="new", **replacing("a2")), "Patient.link"),
    ],
    ids=["id", "new id", "identifier", "link"],
)
async def test_the_patient_is_refused_by_every_name(
    network: Network, patient: dict, expression: str
):
    """The element is told, the person is not; so by every verb."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*everything_of_a()))
    await purge(ehr, "a2")

    answers = [await ehr.post(patient)]
    if "id" in patient:
        answers.append(await ehr.put(patient))

    for answer in answers:
        assert answer.status_code == 422
        assert issue_of(answer.json()) == ("business-rule", expression)


async def test_a_condition_on_their_identifier_is_refused(network: Network):
    """If-None-Exist and PUT by an identifier are doors as well."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*everything_of_a()))
    await purge(ehr, "a")
    criterion = f"identifier={make.MRN}|M-a"

    created = await ehr.post(make.patient(gender="male"), If_None_Exist=criterion)
    updated = await ehr.call("PUT", f"/Patient?{criterion}", make.patient())

    assert [created.status_code, updated.status_code] == [422, 422]


async def test_a_hub_id_that_was_erased_is_nobody(network: Network):
    """A reference by it is refused, a read is 410."""
    ehr = network.ehr(scopes=SCOPES)
    hub_id = (await ehr.post(make.patient(gender="male"))).json()["id"]

    assert counts_in(await purge(ehr, hub_id))["Patient"] == 1
    lab = await ehr.post(make.lab(7.1, subject=make.reference(f"Patient/{hub_id}")))
    again = await purge(ehr, hub_id)

    assert lab.status_code == 422
    assert issue_of(lab.json()) == ("business-rule", "Observation.subject")
    assert (await ehr.read(f"Patient/{hub_id}")).status_code == 410
    assert set(counts_in(again).values()) == {0}


async def test_a_second_purge_is_a_success_too(network: Network, hub: Hub):
    """Whoever lost the answer asks again."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.send(make.batch(*everything_of_a()))

    answers = [counts_in(await purge(ehr, "a")) for _ in range(2)]

    assert [sum(answer.values()) for answer in answers] == [7, 0]
    assert acts_of(hub)[-5:] == [
        ("alpha-ehr", "purge", 1, 2),
        ("alpha-ehr", "purge", 2, 1),
        ("alpha-ehr", "purge", 3, 3),
        ("alpha-ehr", "purge", 4, 1),
        ("alpha-ehr", "purge", 1, 0),
    ]


async def test_who_was_never_here_is_kept_out(network: Network):
    """The clinic asked that nothing of them be here."""
    ehr = network.ehr(scopes=SCOPES)

    erased = counts_in(await purge(ehr, "stranger"))
    late = await ehr.put(make.patient(id="stranger"))

    assert set(erased.values()) == {0}
    assert late.status_code == 422


async def test_who_only_has_results_here_is_erased_as_well(network: Network, hub: Hub):
    """A placeholder is a person."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.put(make.lab(7.1, id="o1", encounter=make.reference("Encounter/e1")))

    erased = counts_in(await purge(ehr, "p1"))

    assert erased["Observation"] == 1
    assert rows(hub, "record") == rows(hub, "alias") == []


async def test_another_clinics_patient_is_not_reached(network: Network):
    """Neither by its hub id nor by an id that two clinics use."""
    ehr, other = network.ehr(scopes=SCOPES), network.ehr("beta-ehr", scopes=SCOPES)
    await ehr.put(make.patient(id="a", gender="male"))
    seen = (await ehr.post(make.lab(7, subject=make.reference("Patient/a")))).json()
    theirs = seen["subject"]["reference"].removeprefix("Patient/")

    same_id = await purge(other, "a")
    by_hub_id = await purge(other, theirs)

    assert (same_id.status_code, by_hub_id.status_code) == (200, 404)
    assert (await ehr.read("Patient/a")).status_code == 200


async def test_the_scope_is_one_of_its_own(network: Network):
    """Not among a clinic's usual ones, listed in discovery, and enough by itself."""
    usual, only = network.ehr(), network.ehr("alpha-purge", scopes=("system/purge",))
    await usual.put(make.patient(id="a"))

    refused = await purge(usual, "a")
    listed = await usual.http.get("/fhir/.well-known/smart-configuration")

    assert refused.status_code == 403
    assert (await usual.read("Patient/a")).status_code == 200
    assert counts_in(await purge(only, "a"))["Patient"] == 1
    if listed.status_code == 200:
        assert "system/purge" in listed.json()["scopes_supported"]


async def test_what_was_refused_of_them_is_forgotten(network: Network, hub: Hub):
    """Also the keyed name of what was refused before, and nothing after."""
    ehr = network.ehr(scopes=SCOPES)
    await ehr.put(make.patient(id="a"))
    await ehr.put(make.patient(id="a", gender="unheard-of"))
    noted = len(rows(hub, "refusal"))

    await purge(ehr, "a")
    await ehr.put(make.patient(id="a"))

    assert noted == 1
    assert rows(hub, "refusal") == []


async def test_a_purge_and_deliveries_at_once_leave_all_or_nothing(
    network: Network, hub: Hub, address: str
):
    """Whoever comes first: after the purge no row of the person is left."""
    ehr = network.ehr(scopes=SCOPES)
    headers = await headers_of(ehr)
    calls = []
    for n in range(4):
        patient = make.patient(id="a", identifier=[MRN_OF_A], birthDate=f"19{n}0-01")
        labs = [
            make.put(make.lab(i, id=f"o{n}-{i}", subject=subject))
            for i, subject in enumerate(NAMES_OF_A[::2], 1)
        ]
        entries = [make.put(patient), *labs]
        calls.append(sender("POST", "", make.transaction(*entries), headers))
        calls.append(sender("PUT", "/Patient/a", patient, headers))
    calls.insert(3, sender("POST", "/Patient/a/$purge", {}, headers))

    answers = at_once(calls, address)
    last = await purge(ehr, "a")
    count(hub)

    assert {a.status_code for a in answers} <= {200, 201, 422}
    assert answers[3].status_code == 200
    # Another name of theirs may have come first; a second purge finds none of it.
    assert last.status_code == 200
    assert [rows(hub, t) for t in ("record", "alias", "subject", "tie")] == [[]] * 4


@pytest.fixture
def command(
    settings: Settings,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Run an operator's command on the hub's database; return what it says."""

    def run(*words: str, given: str) -> str:
        environment = {
            "CATCHMENT_DATABASE_URL": database_url,
            "CATCHMENT_MASTER_KEY_FILE": str(settings.master_key_file),
        }
        with monkeypatch.context() as here:
            here.setattr(os, "environ", environment)
            here.setattr(sys, "argv", ["catchment", *words])
            here.setattr(sys, "stdin", io.StringIO(given))
            with pytest.raises(SystemExit):
                cli.main()
        gc.collect()  # closes the command's database, as the end of its process does
        ended = capsys.readouterr()
        return ended.out + ended.err

    return run


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_an_operator_erases_and_lets_back_in_from_standard_input(
    network: Network, hub: Hub, command: Callable[..., str]
):
    """For a clinic that writes a letter: ids in lines, counts out, no name anywhere."""
    ehr = network.ehr()
    await ehr.send(make.batch(*everything_of_a()))

    erased = command("erase", "alpha", given="a2\n\n  stranger \n")
    refused = [await ehr.put(make.patient(id=i)) for i in ("a", "stranger")]
    lifted = command("unblock", "alpha", given=f"{make.MRN}|M-a\n")
    again = command("unblock", "alpha", given="a\n")

    assert erased == (
        "Erased: 2 Patient, 1 Encounter, 3 Observation, 1 Condition\n"
        "Lines that found nobody: 1; they are blocked all the same\n"
    )
    assert [answer.status_code for answer in refused] == [422, 422]
    assert lifted == "Unblocked: 1\n"
    assert again == "Unblocked: 0\nLines that found nobody who was blocked: 1\n"
    assert (await ehr.put(make.patient(id="a2"))).status_code == 201
    assert (await ehr.put(make.patient(id="stranger"))).status_code == 422
    assert [(client, act) for client, act, *_ in acts_of(hub)[-6:]] == [
        *[("operator", "purge")] * 5,
        ("operator", "unblock"),
    ]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("alpha", "--source", "none"), "p1", "no source of that name"),
        (("none",), "p1", "No clinic of that code"),
        (("alpha",), "p1\nhttp://other.example|77", "not declared unique"),
    ],
)
async def test_a_list_that_cannot_be_read_erases_nobody(
    network: Network,
    hub: Hub,
    command: Callable[..., str],
    words: tuple,
    given: str,
    said: str,
):
    """One line on standard error, without the name; the good lines wait as well."""
    ehr = network.ehr()
    await ehr.put(make.patient(id="p1"))

    told = command("erase", *words, given=given)

    assert said in told
    assert "77" not in told
    assert current_of(hub.engine) == {"Patient": 1}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    "line",
    [
        "p1",
        "Patient/p1",
        " \tp1  ",
        "\ufeffp1",
        "\ufeff Patient/p1\r",
        f"{make.MRN}|M1",
    ],
)
async def test_a_line_names_a_patient_in_three_ways(
    network: Network, hub: Hub, command: Callable[..., str], line: str
):
    """With the blanks and marks that a spreadsheet leaves; so for both commands."""
    ehr = network.ehr()
    patient = make.patient(id="p1", identifier=[make.identifier("M1")])
    await ehr.put(patient)

    erased = command("erase", "alpha", given=f"{line}\n")
    refused = await ehr.put(patient)
    lifted = command("unblock", "alpha", given=line)

    assert erased.startswith("Erased: 1 Patient")
    assert len(erased.splitlines()) == 1
    assert refused.status_code == 422
    assert lifted == "Unblocked: 1\n"
    assert (await ehr.put(patient)).status_code == 201
    assert current_of(hub.engine) == {"Patient": 1}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("word", ["erase", "unblock"])
@pytest.mark.parametrize(
    "line",
    [
        "urn:uuid:X77",
        "x 77",
        "https://ehr.example/fhir/Patient/X77",
        "Patient/X77/_history/1",
        "Observation/X77",
        "Patient/",
        "X77,Patient",
        "X_77",
        f"{make.MRN}|",
        "7" * 65,
    ],
)
async def test_any_other_line_is_refused_by_its_number(
    network: Network, hub: Hub, command: Callable[..., str], word: str, line: str
):
    """Taken for an id it would block a name that nobody has, and say all went well."""
    ehr = network.ehr()
    await ehr.put(make.patient(id="p1"))

    told = command(word, "alpha", given=f"p1\n\n{line}\np2\n{line}\n")

    assert told.startswith("catchment: Line 3: ")
    assert "1 more can't be read, of these 5" in told
    assert "77" not in told
    assert current_of(hub.engine) == {"Patient": 1}
    assert rows(hub, "block") == []


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_hub_id_that_was_never_given_is_told_by_its_line(
    network: Network, hub: Hub, command: Callable[..., str]
):
    """The rest of the list is run again without it."""
    ehr = network.ehr()
    await ehr.put(make.patient(id="p1"))

    told = command("erase", "alpha", given="p1\nhub-99999\n")

    assert "Line 2: No Patient of that id; the lines before it are done" in told
    assert current_of(hub.engine) == {}
