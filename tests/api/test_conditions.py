"""Writes on a condition: what If-None-Exist, a criterion and entity tags decide."""

from urllib.parse import quote

import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import Caller, count_of, current_of, rows_of

pytestmark = pytest.mark.anyio

CANARY = "Zq9canary7x"
A1 = f"identifier={make.MRN}|A1"
TYPE_A1 = f"/Observation?{A1}"


def lab_of(identifier: str, value: float = 7.1, **elements) -> dict:
    return make.lab(value, identifier=[make.identifier(identifier)], **elements)


def id_of(response) -> str:
    """Return the id by which a reply calls a record."""
    return response.headers["Location"].split("/")[-3]


@pytest.mark.parametrize(
    "condition",
    [
        A1,
        f"?{A1}",
        f"Observation?{A1}",
        f"identifier={quote(make.MRN)}%7CA1",
        f"identifier={make.MRN}|A%31",
    ],
)
@pytest.mark.conforms("R4")
@pytest.mark.conforms("R6")
async def test_if_none_exist_creates_once(ehr: Caller, hub: Hub, condition: str):
    """In every spelling that clients use: 201, then 200 and nothing written."""
    first = await ehr.post(lab_of("A1"), If_None_Exist=condition)
    before = rows_of(hub.engine)
    second = await ehr.post(lab_of("A1", 9.9), If_None_Exist=condition)

    assert [first.status_code, second.status_code] == [201, 200]
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["ETag"] == 'W/"1"'
    assert rows_of(hub.engine) == before


@pytest.mark.conforms("R4")
async def test_a_condition_in_the_url_of_a_create_is_one_in_the_header(
    ehr: Caller, hub: Hub
):
    """Not FHIR's way, but that of fhirpy's get_or_create."""
    answers = [await ehr.call("POST", TYPE_A1, lab_of("A1", v)) for v in (7.1, 8.2)]
    entry = make.post(lab_of("A1", 9.3), request={"url": f"Observation?{A1}"})
    statuses = await ehr.send(make.batch(entry))

    assert [a.status_code for a in answers] == [201, 200]
    assert statuses == ["200"]
    assert answers[1].json()["valueQuantity"]["value"] == 7.1
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(
            text, marks=pytest.mark.conforms("R6", mutation=f"the condition {why}")
        )
        for text, why in (
            ("", "is empty"),
            (f"_id={CANARY}", "is by _id"),
            (f"code={CANARY}", "is by code"),
            (f"{A1}&code={CANARY}", "has a second criterion"),
            (f"{A1}&_lastUpdated=gt2020", "has a criterion that begins with _"),
            (f"identifier:exact={make.MRN}|A1", "has a modifier"),
            (f"identifier={CANARY}", "has no system"),
            (f"identifier=|{CANARY}", "has an empty system"),
            (f"identifier={make.MRN}|", "has no value"),
            (f"{A1},{make.MRN}|A2", "says or"),
            (f"Patient?{A1}", "is about another type"),
            (CANARY, "is no parameter"),
        )
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_condition_that_is_not_understood_is_refused(
    ehr: Caller, hub: Hub, condition: str
):
    """400 at each door; ignored, it would create or replace what it must not."""
    await ehr.post(lab_of("A1", id="o1"))
    before = rows_of(hub.engine)
    entry = make.post(lab_of("A1", 9), request={"ifNoneExist": condition})

    header = await ehr.post(lab_of("A1", 9), If_None_Exist=condition)
    update = await ehr.call("PUT", f"/Observation?{condition}", lab_of("A1", 9))
    whole = await ehr.call("POST", "", make.transaction(entry))
    batch = await ehr.call("POST", "", make.batch(entry))

    assert [header.status_code, whole.status_code] == [400, 400]
    if not condition.startswith("Patient"):  # there it is a parameter called so
        assert update.status_code == 400
    assert batch.json()["entry"][0]["response"]["status"] == "400"
    assert whole.json()["issue"][0]["expression"] == [
        "Bundle.entry[0].request.ifNoneExist"
    ]
    assert CANARY not in header.text + update.text + whole.text + batch.text
    assert rows_of(hub.engine) == before


async def test_a_comma_in_a_value_is_escaped(ehr: Caller, hub: Hub):
    """R4 search 3.1.1.5.6: unescaped it would mean another identifier."""
    condition = rf"identifier={make.MRN}|A\,1"

    first = await ehr.post(lab_of("A,1"), If_None_Exist=condition)
    plain = await ehr.post(lab_of("A,1"))

    assert [first.status_code, plain.status_code] == [201, 200]
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.parametrize(
    ("method", "path", "header"),
    [
        ("POST", "/Observation", "If_Match"),
        ("POST", "/Observation", "If_None_Match"),
        ("POST", TYPE_A1, "If_None_Exist"),
        ("POST", "", "If_None_Exist"),
        ("POST", "", "If_Match"),
        ("PUT", "/Observation/o1", "If_None_Exist"),
        ("PUT", TYPE_A1, "If_None_Exist"),
        ("PUT", "/Observation/o1", "If_Unmodified_Since"),
        ("DELETE", "/Observation/o1", "If_Match"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.conforms("R6", mutation="a condition where none is taken")
async def test_a_condition_where_none_is_taken_is_refused(
    ehr: Caller, hub: Hub, method: str, path: str, header: str
):
    """Done all the same, it would be done against the caller's word."""
    await ehr.put(make.lab(7.1, id="o1"))
    before = rows_of(hub.engine)
    body = make.lab(9.9, id="o1") if path else make.batch()
    value = A1 if header == "If_None_Exist" else 'W/"1"'

    response = await ehr.call(
        method, path, None if method == "DELETE" else body, **{header: value}
    )

    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == "not-supported"
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("POST", "ifMatch"),
        ("POST", "ifNoneMatch"),
        ("PUT", "ifNoneExist"),
        ("PUT", "ifModifiedSince"),
        ("DELETE", "ifMatch"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.conforms("R6", mutation="an entry's condition where none is taken")
async def test_so_is_an_entrys(ehr: Caller, method: str, name: str):
    """The same words in a Bundle."""
    entry = {
        "resource": make.lab(7.1, id="o1"),
        "request": {"method": method, "url": "Observation/o1", name: 'W/"1"'},
    }
    if method == "POST":
        entry["request"]["url"] = "Observation"

    response = await ehr.call("POST", "", make.transaction(entry))

    assert response.status_code == 400
    issue = response.json()["issue"][0]
    assert issue["code"] == "not-supported"
    assert issue["expression"] == [f"Bundle.entry[0].request.{name}"]


@pytest.mark.conforms("R5")
async def test_no_match_and_no_id_creates(ehr: Caller):
    """The record is known by the identifier from then on."""
    first = await ehr.call("PUT", TYPE_A1, make.lab(7.1))

    assert first.status_code == 201
    assert (await ehr.post(lab_of("A1"))).status_code == 200


@pytest.mark.conforms("R5")
async def test_no_match_and_an_id_creates_under_that_id(ehr: Caller):
    """Update-as-create."""
    first = await ehr.call("PUT", TYPE_A1, make.lab(7.1, id="o1"))

    assert first.status_code == 201
    assert (await ehr.read("Observation/o1")).status_code == 200


@pytest.mark.parametrize("own_id", [{}, {"id": "o1"}], ids=["none", "the same"])
@pytest.mark.conforms("R5")
async def test_one_match_and_no_other_id_updates(ehr: Caller, own_id: dict):
    """200, a version on, still one record."""
    await ehr.put(lab_of("A1", id="o1"))

    second = await ehr.call("PUT", TYPE_A1, make.lab(8.2, **own_id))

    assert second.status_code == 200
    assert second.headers["ETag"] == 'W/"2"'
    kept = (await ehr.read("Observation/o1")).json()
    assert kept["valueQuantity"]["value"] == 8.2


@pytest.mark.conforms("R5")
async def test_the_hubs_own_id_is_the_same_id(ehr: Caller):
    """A client that knows the record only by what it was told sends that back."""
    told = id_of(await ehr.call("PUT", TYPE_A1, make.lab(7.1)))

    second = await ehr.call("PUT", TYPE_A1, make.lab(8.2, id=told))

    assert second.status_code == 200
    assert id_of(second) == told
    assert (await ehr.post(lab_of("A1"))).headers["Location"].split("/")[-3] == told


@pytest.mark.parametrize("known_as", ["o1", None], ids=["an id", "the hub's id only"])
@pytest.mark.parametrize("there", [False, True], ids=["unknown", "another record's"])
@pytest.mark.parametrize("door", ["single", "transaction"])
@pytest.mark.conforms("R5", mutation="one match of another id")
async def test_one_match_of_another_id_is_refused(
    ehr: Caller, hub: Hub, known_as: str | None, *, there: bool, door: str
):
    """400: the condition and the body speak of different records."""
    await ehr.call(
        "PUT", TYPE_A1, make.lab(7.1, **({"id": known_as} if known_as else {}))
    )
    if there:
        await ehr.put(make.lab(5.5, id="o2"))
    before = rows_of(hub.engine)
    other = make.lab(8.2, id="o2")
    entry = make.post(other, request={"method": "PUT", "url": TYPE_A1[1:]})

    if door == "single":
        response = await ehr.call("PUT", TYPE_A1, other)
    else:
        response = await ehr.call("POST", "", make.transaction(entry))

    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"][0].endswith(".id")
    assert rows_of(hub.engine) == before


PATIENT_M1 = f"/Patient?identifier={make.MRN}|M1"


@pytest.mark.conforms("R5", mutation="one Patient of another id")
async def test_a_patient_has_one_id_too(ehr: Caller, hub: Hub):
    """Else two ids would name one person, and neither clinic system would know."""
    identifiers = [make.identifier("M1")]
    await ehr.put(make.patient(id="p1", identifier=identifiers))
    before = rows_of(hub.engine)

    other = make.patient(id="p9", identifier=identifiers)
    refused = await ehr.call("PUT", PATIENT_M1, other)
    same = await ehr.call("PUT", PATIENT_M1, other | {"id": "p1"})

    assert [refused.status_code, same.status_code] == [400, 200]
    assert (await ehr.read("Patient/p9")).status_code == 404
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (make.patient(identifier=[make.identifier("M1")]), "Patient"),
        (make.lab(7.1, identifier=[make.identifier("M1")]), "Observation"),
    ],
    ids=["patient", "observation"],
)
@pytest.mark.conforms("R4")
async def test_a_create_that_found_one_writes_nothing(
    ehr: Caller, hub: Hub, resource: dict, path: str
):
    """Not even that the record has the id of what was not created."""
    await ehr.put(resource | {"id": "x1"})
    before = rows_of(hub.engine)

    response = await ehr.post(
        resource | {"id": "x9"}, If_None_Exist=f"identifier={make.MRN}|M1"
    )

    assert response.status_code == 200
    assert (await ehr.read(f"{path}/x9")).status_code == 404
    assert rows_of(hub.engine) == before


@pytest.mark.parametrize("own_id", ["hub-999", "another"])
@pytest.mark.conforms("R5", mutation="the hub's id of another record")
async def test_another_records_hub_id_is_another_id(ehr: Caller, own_id: str):
    """404 where the hub gave no such id, 400 where it means another record."""
    await ehr.call("PUT", TYPE_A1, make.lab(7.1))
    other = id_of(await ehr.post(make.lab(5.5)))

    response = await ehr.call(
        "PUT", TYPE_A1, make.lab(8, id=other if own_id == "another" else own_id)
    )

    assert response.status_code == (400 if own_id == "another" else 404)


@pytest.mark.conforms("R4", mutation="several matches")
@pytest.mark.conforms("R5", mutation="several matches")
async def test_several_matches_are_refused(ehr: Caller, hub: Hub):
    """412: the condition names one record, the body's identifier another."""
    await ehr.post(lab_of("A1", 7.1))
    await ehr.post(lab_of("A2", 8.2))
    before = rows_of(hub.engine)

    update = await ehr.call("PUT", TYPE_A1, lab_of("A2", 9.3))
    create = await ehr.post(lab_of("A2", 9.3), If_None_Exist=A1)

    assert [update.status_code, create.status_code] == [412, 412]
    assert rows_of(hub.engine) == before


async def test_a_placeholder_is_no_match(ehr: Caller):
    """Someone referred to the patient before it came: it may come with any id."""
    about = {"identifier": make.identifier("M1")}
    await ehr.post(make.lab(7.1, subject=about))

    path = f"/Patient?identifier={make.MRN}|M1"
    response = await ehr.call("PUT", path, make.patient(id="p1", gender="female"))

    assert response.status_code == 201
    assert (await ehr.read("Patient/p1")).json()["gender"] == "female"


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        *(
            pytest.param(text, 200, marks=pytest.mark.conforms("R7"))
            for text in ('W/"2"', '"2"', "*", 'W/"1", W/"2"', '"1","2"', ' W/"2" ')
        ),
        *(
            pytest.param(
                text,
                status,
                marks=pytest.mark.conforms("R7", mutation=f"If-Match: {text}"),
            )
            for text, status in (
                ('W/"1"', 412),
                ('W/"3"', 412),
                ('W/"02"', 412),
                ('"abc"', 412),
                ('W/"1", W/"3"', 412),
                ("2", 400),
                ('W/"2', 400),
                ('w/"2"', 400),
                ('W/"1" W/"2"', 400),
                ('*, W/"2"', 400),
                ("", 400),
            )
        ),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_an_update_meets_the_version_it_was_made_for(
    ehr: Caller, hub: Hub, if_match: str, status: int
):
    """Weakly compared, one of a list, or any; a bad tag is 400, another one 412."""
    await ehr.put(make.lab(7.1, id="o1"))
    await ehr.put(lab_of("A1", 7.2, id="o1"))
    before = rows_of(hub.engine)
    entry = make.put(make.lab(7.3, id="o1"), request={"ifMatch": if_match})

    whole = await ehr.call(
        "POST",
        "",
        make.transaction(
            entry, make.put(make.lab(0, id="x"), request={"ifMatch": "*"})
        ),
    )
    unchanged = rows_of(hub.engine)
    single = await ehr.put(make.lab(7.3, id="o1"), If_Match=if_match)

    assert single.status_code == status
    assert whole.status_code == (412 if status == 200 else status)
    assert unchanged == before
    assert (rows_of(hub.engine) == before) == (status != 200)


@pytest.mark.parametrize("if_match", ["*", 'W/"1"'])
@pytest.mark.parametrize("withdrawn", [False, True])
@pytest.mark.conforms("R7", mutation="the record is not there")
async def test_no_version_of_what_is_not_there(
    ehr: Caller, hub: Hub, if_match: str, *, withdrawn: bool
):
    """412: whoever states a version means to replace, never to create."""
    if withdrawn:
        await ehr.put(make.lab(7.1, id="o1"))
        await ehr.delete("Observation/o1")
    before = count_of(hub.engine)

    by_id = await ehr.put(make.lab(7.3, id="o1"), If_Match=if_match)
    by_name = await ehr.call("PUT", TYPE_A1, make.lab(7), If_Match=if_match)

    assert [by_id.status_code, by_name.status_code] == [412, 412]
    assert count_of(hub.engine) == before


async def test_a_conditional_update_may_state_a_version_too(ehr: Caller):
    """Both conditions have to hold."""
    await ehr.call("PUT", TYPE_A1, make.lab(7.1))

    wrong = await ehr.call("PUT", TYPE_A1, make.lab(7.2), If_Match='W/"2"')
    right = await ehr.call("PUT", TYPE_A1, make.lab(7.2), If_Match='W/"1"')
    again = await ehr.call("PUT", TYPE_A1, make.lab(7.3), If_None_Match="*")

    assert [a.status_code for a in (wrong, right, again)] == [412, 200, 412]


@pytest.mark.conforms("R8")
async def test_if_none_match_creates(ehr: Caller):
    """A record that was withdrawn is not there."""
    first = await ehr.put(make.lab(7.1, id="o1"), If_None_Match="*")
    await ehr.delete("Observation/o1")
    back = await ehr.put(make.lab(7.1, id="o1"), If_None_Match="*")

    assert [first.status_code, back.status_code] == [201, 201]


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        pytest.param(
            "*", 412, marks=pytest.mark.conforms("R8", mutation="it is there already")
        ),
        pytest.param(
            'W/"1"',
            400,
            marks=pytest.mark.conforms("R8", mutation="it names a version"),
        ),
    ],
)
async def test_if_none_match_never_replaces(
    ehr: Caller, hub: Hub, tag: str, status: int
):
    """As a header and in an entry; not even with the same content."""
    await ehr.put(make.lab(7.1, id="o1"))
    before = rows_of(hub.engine)
    entry = make.put(make.lab(7.2, id="o1"), request={"ifNoneMatch": tag})

    single = await ehr.put(make.lab(7.2, id="o1"), If_None_Match=tag)
    whole = await ehr.call("POST", "", make.transaction(entry))

    assert [single.status_code, whole.status_code] == [status, status]
    assert rows_of(hub.engine) == before
