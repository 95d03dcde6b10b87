"""What became of a clinic's own resources, asked by its own names."""

from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from app.services import registry
from app.services.hub import Hub
from app.services.refusals import forget_old
from app.store import refusals
from tests import make
from tests.hubs import Caller, Clock, Network, rows_of

pytestmark = pytest.mark.anyio

DAY = 24 * 3600
BAD = make.lab(7.1, id="bad", status="unheard-of")


def by(text_: str) -> dict:
    """Return a question by a reference's string."""
    return {"name": "reference", "valueString": text_}


def by_identifier(value: str, type_: str = "Patient", system: str = make.MRN) -> dict:
    identifier = {
        "name": "identifier",
        "valueIdentifier": make.identifier(value, system),
    }
    return {
        "name": "identifier",
        "part": [{"name": "type", "valueCode": type_}, identifier],
    }


async def asked(ehr: Caller, *questions: dict) -> httpx.Response:
    body = {"resourceType": "Parameters", "parameter": list(questions)}
    return await ehr.call("POST", "/$trace", body)


async def traced(ehr: Caller, *questions: dict) -> list[dict[str, Any]]:
    """Return the parts of each answer by name."""
    answer = await asked(ehr, *questions)
    assert answer.status_code == 200, answer.text
    return [
        {
            part["name"]: next(v for k, v in part.items() if k != "name")
            for part in parameter["part"]
        }
        for parameter in answer.json()["parameter"]
    ]


async def fate(ehr: Caller, question: dict) -> str:
    (answer,) = await traced(ehr, question)
    return str(answer["fate"])


async def test_every_fate_is_told_in_the_order_asked(network: Network, clock: Clock):
    """The integration engineer's list of ids: each place has its answer."""
    ehr = network.ehr(scopes=(*registry.CLINIC_SCOPES, "system/purge"))
    await ehr.put(make.patient(id="gone"))
    await ehr.call("POST", "/Patient/gone/$purge")
    await ehr.put(make.patient(id="p1", identifier=[make.identifier("M1")]))
    await ehr.put(make.lab(7.1, id="o1"))
    await ehr.put(make.lab(7.2, id="o1"))
    await ehr.put(make.lab(7.1, id="o2", subject=make.reference("Patient/late")))
    await ehr.delete("Observation/o2")
    clock.pass_seconds(60)
    await ehr.put(BAD)

    answers = await traced(
        ehr,
        by("Observation/o1"),
        by("Observation/o2"),
        by("Patient/late"),
        by("Patient/gone"),
        by("Claim/c1"),
        by("Observation/bad"),
        by("Observation/never"),
    )

    fates = [answer["fate"] for answer in answers]
    assert fates == [
        "stored",
        "withdrawn",
        "placeholder",
        "purged",
        "discarded",
        "refused",
        "unknown",
    ]
    assert [answer["index"] for answer in answers] == list(range(7))
    stored, *_, refused, unknown = answers
    assert stored["version"] == 2
    assert stored["received"] == "2027-01-15T08:00:00.000+00:00"
    read = await ehr.read(stored["hub"]["reference"])
    assert read.json()["valueQuantity"]["value"] == 7.2
    assert refused["issueType"] == "code-invalid"
    assert refused["expression"] == "Observation.status"
    assert refused["refused"] == "2027-01-15T08:01:00.000+00:00"
    assert unknown.keys() == {"index", "fate"}


@pytest.mark.parametrize(
    "question",
    [
        by("Patient/p1"),
        by("Patient/p1/_history/1"),
        by("https://ehr.example/fhir/Patient/p1"),
        by(f"Patient?identifier={make.MRN}|M1"),
        {"name": "reference", "valueReference": make.reference("Patient/p1")},
        {
            "name": "reference",
            "valueReference": {"type": "Patient", "reference": "urn:uuid:p1"},
        },
        by_identifier("M1"),
        {
            "name": "identifier",
            "valueIdentifier": make.identifier("M1"),
            "part": [{"name": "type", "valueCode": "Patient"}],
        },
        {
            "name": "identifier",
            "valueReference": {"type": "Patient", "identifier": make.identifier("M1")},
        },
    ],
)
async def test_every_form_of_name_finds_the_record(network: Network, question: dict):
    """As in references: relative, versioned, absolute, urn, logical, conditional."""
    ehr = network.ehr()
    patient = make.patient(id="p1", identifier=[make.identifier("M1")])
    await ehr.post(make.lab(7.1, subject={"identifier": make.identifier("M1")}))
    await ehr.put(patient)

    (answer,) = await traced(ehr, question)
    (same,) = await traced(ehr, by(answer["hub"]["reference"]))

    assert answer["fate"] == same["fate"] == "stored"
    assert answer["hub"] == same["hub"]


@pytest.mark.parametrize("door", ["single", "batch", "transaction"])
@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (BAD, ("code-invalid", "Observation.status")),
        (
            make.lab(7, id="bad") | {"valueQuantity": {"value": "x"}},
            ("structure", "Observation.value.ofType(Quantity).value"),
        ),
        (
            make.lab(7, id="bad", subject=make.reference("http://x.example/Patient/1")),
            ("business-rule", "Observation.subject.reference"),
        ),
    ],
    ids=["code", "structure", "reference"],
)
async def test_a_refusal_is_remembered_by_every_door(
    network: Network, door: str, resource: dict, reason: tuple[str, str]
):
    """What the sender's log lost: the issue and the element, never the value."""
    ehr = network.ehr()
    if door == "single":
        await ehr.put(resource)
    else:
        await ehr.call(
            "POST",
            "",
            make.bundle(door, make.put(make.patient(id="p")), make.put(resource)),
        )

    (answer,) = await traced(ehr, by("Observation/bad"))

    assert answer["fate"] == "refused"
    assert (answer["issueType"], answer["expression"]) == reason


async def test_a_precondition_is_a_refusal_too(network: Network, clock: Clock):
    """The record stays as it is; that a later version was refused is told beside."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))
    clock.pass_seconds(1)
    await ehr.put(make.lab(7.2, id="o1"), If_Match='W/"7"')

    (answer,) = await traced(ehr, by("Observation/o1"))
    clock.pass_seconds(1)
    await ehr.put(make.lab(7.3, id="o1"))
    (after,) = await traced(ehr, by("Observation/o1"))

    assert (answer["fate"], answer["version"]) == ("stored", 1)
    assert answer["issueType"] == "precondition"
    assert (after["fate"], after["version"]) == ("stored", 2)
    assert "issueType" not in after


async def test_a_refusal_is_forgotten_once_it_is_mended_or_old(
    network: Network, hub: Hub, clock: Clock
):
    """Stored: that is its fate. After a month nobody needs to know."""
    ehr = network.ehr()
    await ehr.put(BAD)
    await ehr.put(BAD | {"id": "bad2"})
    clock.pass_seconds(60)
    await ehr.put(BAD | {"status": "final"})
    mended = await fate(ehr, by("Observation/bad"))

    clock.pass_seconds(31 * DAY)
    old = await fate(ehr, by("Observation/bad2"))
    await ehr.put(BAD | {"id": "bad3"})

    assert (mended, old) == ("stored", "unknown")
    forget_old(hub)
    assert await fate(ehr, by("Observation/bad3")) == "refused"
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT COUNT(*) FROM refusal"))
        assert rows.scalar_one() == 1


async def test_a_flood_of_refusals_is_bounded(
    network: Network, hub: Hub, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """The newest are kept, of each source for itself."""
    monkeypatch.setattr(refusals, "MOST_OF_A_SOURCE", 10)
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    await other.put(BAD)
    for n in range(25):
        clock.pass_seconds(1)
        await ehr.put(BAD | {"id": f"bad{n}"})

    kept = [await fate(ehr, by(f"Observation/bad{n}")) for n in (0, 14, 15, 24)]

    assert kept == ["unknown", "unknown", "refused", "refused"]
    assert await fate(other, by("Observation/bad")) == "refused"
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT COUNT(*) FROM refusal"))
        assert rows.scalar_one() == 11


async def test_a_delivery_that_goes_through_never_asks_for_refusals(
    network: Network, hub: Hub
):
    """It costs nothing where nothing is wrong."""
    ehr = network.ehr()
    await ehr.fresh_token()
    seen: list[str] = []
    event.listen(
        hub.engine, "before_cursor_execute", lambda *args: seen.append(args[2])
    )

    await ehr.put(make.lab(7.1, id="o1"))
    await ehr.send(make.batch(make.put(make.patient(id="p1")), make.post(make.lab(8))))
    good = [statement for statement in seen if "refusal" in statement]
    await ehr.put(BAD)

    assert good == []
    assert any("refusal" in statement for statement in seen)


async def test_asking_leaves_nothing(network: Network, hub: Hub):
    """The names asked for are hashed in flight; the answer does not repeat them."""
    ehr = network.ehr()
    await ehr.put(make.lab(7.1, id="o1"))
    before = rows_of(hub.engine)

    answer = await asked(
        ehr, by("Observation/Zq9secret7x"), by_identifier("Zq9secret7x")
    )

    assert answer.status_code == 200
    assert "Zq9secret7x" not in answer.text
    assert rows_of(hub.engine) == before


async def test_another_clinics_records_are_unknown(network: Network):
    """By an id that both use, and by the hub's own."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    hub_id = (await ehr.post(make.lab(7.1))).json()["id"]
    await ehr.put(make.lab(7.2, id="o1"))
    await ehr.put(BAD)

    fates = [
        await fate(other, by(f"Observation/{own_id}"))
        for own_id in (hub_id, "o1", "bad")
    ]

    assert fates == ["unknown"] * 3


@pytest.mark.parametrize(
    ("body", "status", "expression"),
    [
        ({"resourceType": "Bundle"}, 400, "resourceType"),
        ([by("Observation/1"), {"name": "id"}], 422, "Parameters.parameter[1].name"),
        ([by("gibberish")], 422, "Parameters.parameter[0]"),
        ([{"name": "reference", "valueReference": 7}], 400, "Parameters.parameter[0]"),
        ([{"name": "reference"}], 422, "Parameters.parameter[0]"),
        (
            [{"name": "identifier", "valueIdentifier": {"value": "7"}}],
            422,
            "Parameters.parameter[0]",
        ),
        (
            [by_identifier("7", system="http://other.example")],
            422,
            "Parameters.parameter[0].identifier",
        ),
        (["Observation/1"], 400, "Parameters.parameter[0]"),
        ([by("Observation/1")] * 1001, 413, "Parameters.parameter"),
    ],
    ids=range(9),
)
async def test_a_question_that_cannot_be_read_is_refused(
    network: Network, body: Any, status: int, expression: str
):
    """Its place is told; the others are not answered either."""
    ehr = network.ehr()
    parameters = {"resourceType": "Parameters", "parameter": body}

    answer = await ehr.call(
        "POST", "/$trace", body if "resourceType" in body else parameters
    )

    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["expression"] == [expression]


async def test_only_who_may_do_something_with_a_type_may_ask(network: Network):
    """A client that only sends may ask; one of another type, or a partner, may not."""
    sends = network.ehr("alpha-ehr", scopes=("system/Observation.cu",))
    visits = network.ehr("alpha-visits", scopes=("system/Encounter.cu",))
    partner = network.partner()
    await sends.put(make.lab(7.1, id="o1"))

    answers = [await asked(c, by("Observation/o1")) for c in (sends, visits, partner)]

    assert [answer.status_code for answer in answers] == [200, 403, 403]
