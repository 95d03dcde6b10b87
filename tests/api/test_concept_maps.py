"""Local codes count by the map of their source, whenever it comes, until it goes."""

import pytest
from sqlalchemy import text

from app.services import concept_maps
from app.services.hub import Hub
from tests import make
from tests.api.test_counting import count, diabetic, series
from tests.api.test_quality import report
from tests.concept_maps import LAB, LOINC, SNOMED, concept_map, element, group, one_code
from tests.concept_maps import target as to
from tests.hubs import Caller, Network

pytestmark = pytest.mark.anyio

A1C = one_code("GLYCO-ANN-MILLER", "4548-4")
LOCAL_A1C = make.concept(LAB, "GLYCO-ANN-MILLER")


def local_result(own_id: str = "r") -> dict:
    """Return a good HbA1c of patient a, under the laboratory's own code."""
    subject = make.reference("Patient/a")
    return make.lab(7.0, day="2026-02-03", id=own_id, subject=subject, code=LOCAL_A1C)


def load(hub: Hub, resource: dict = A1C, clinic: str = "alpha"):
    return concept_maps.load(hub, resource, clinic=clinic, source="ehr")


async def poor_control(hub: Hub, caller: Caller) -> tuple[int, int]:
    """Return numerator and denominator of the clinic's February."""
    count(hub)
    point = (await series(caller, clinic=caller.clinic or ""))["2026-02-01"]
    return point["n"], point["d"]


async def test_what_is_stored_counts_by_a_map_and_without_it_again(
    hub: Hub, network: Network
):
    """One diabetic: without a value 1 of 1 is poorly controlled, with 7.0 % none."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("a"), make.put(local_result())))
    before = await poor_control(hub, ehr)

    loaded = load(hub)
    mapped = await poor_control(hub, ehr)
    removed = concept_maps.remove(hub, clinic="alpha", source="ehr")
    after = await poor_control(hub, ehr)

    assert [before, mapped, after] == [(1, 1), (0, 1), (1, 1)]
    assert (loaded.codes, loaded.recounted.records, loaded.recounted.people) == (
        1,
        1,
        1,
    )
    assert (removed.records, removed.people) == (1, 1)


async def test_what_comes_after_the_map_counts_by_it(hub: Hub, network: Network):
    """By whatever door, as what is there already."""
    ehr = network.ehr()
    load(hub)
    await ehr.send(make.batch(*diabetic("a")))
    before = await poor_control(hub, ehr)

    await ehr.put(local_result())

    assert (before, await poor_control(hub, ehr)) == ((1, 1), (0, 1))


async def test_a_map_is_its_sources_alone(hub: Hub, network: Network):
    """The same code at another clinic may mean something else."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    for each in (ehr, other):
        await each.send(make.batch(*diabetic("a"), make.put(local_result())))

    load(hub)

    assert await poor_control(hub, ehr) == (0, 1)
    assert await poor_control(hub, other) == (1, 1)


async def test_a_new_map_replaces_the_old_and_counts_anew_only_what_changed(
    hub: Hub, network: Network
):
    """A correction of one code makes no work of all the others."""
    ehr = network.ehr()
    other = local_result("s") | {"code": make.concept(LAB, "OTHER")}
    await ehr.send(
        make.batch(*diabetic("a"), make.put(local_result()), make.put(other))
    )
    load(hub)

    both = concept_map(
        group(LAB, LOINC, element("GLYCO-ANN-MILLER", to("4548-4"))),
        group(LAB, LOINC, element("OTHER", to("8480-6"))),
    )
    added = load(hub, both)
    again = load(hub, both)
    gone = load(hub, one_code("OTHER", "8480-6"))

    assert [each.recounted.records for each in (added, again, gone)] == [1, 0, 1]
    assert await poor_control(hub, ehr) == (1, 1)


async def test_a_condition_a_component_a_class_and_an_answer_count_by_it(
    hub: Hub, network: Network
):
    """Wherever a code says what is counted."""
    ehr = network.ehr()
    about = {"subject": make.reference("Patient/a")}
    answer = {"valueCodeableConcept": make.concept(LAB, "YES")}
    part = {"code": make.concept(LAB, "SYS"), "valueInteger": 120}
    visit = {"system": LAB, "code": "OFFICE"}
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    await ehr.send(
        make.batch(
            make.put(make.condition(id="c", code=make.concept(LAB, "DM"), **about)),
            make.put(
                make.encounter(id="v", period={"start": "2026-01-10"}, **about)
                | {"class": visit}
            ),
            make.put(
                make.observation(
                    id="o", effectiveDateTime="2026-01-10", component=[part], **about
                )
                | answer
            ),
        )
    )

    load(
        hub,
        concept_map(
            group(LAB, SNOMED, element("DM", to("44054006"))),
            group(LAB, SNOMED, element("YES", to("373066001"))),
            group(LAB, LOINC, element("SYS", to("8480-6"))),
            group(LAB, act, element("OFFICE", to("AMB"))),
        ),
    )

    assert codes_of_facts(hub) == {
        ("observation", "8480-6"),  # the Observation itself, and its component
        ("answer", "373066001"),
        ("condition", "44054006"),
        ("visit", "AMB"),
    }


def codes_of_facts(hub: Hub) -> set[tuple[str, str]]:
    """Return the codes that measures see, by where they stand."""
    columns = {
        "observation": ("observation", "concept_id"),
        "answer": ("observation", "value_concept_id"),
        "condition": ("condition", "concept_id"),
        "visit": ("visit", "class_concept_id"),
    }
    query = "SELECT c.code FROM {} f JOIN concept c ON c.id = f.{}"
    with hub.engine.connect() as connection:
        return {
            (name, code)
            for name, place in columns.items()
            for (code,) in connection.execute(text(query.format(*place)))
        }


async def test_reads_and_de_identify_show_the_digest_and_what_it_counts_as(
    hub: Hub, network: Network
):
    """A clinic sees what its own code became, and the code itself nowhere."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("a"), make.put(local_result())))
    (alone,) = (await ehr.read("Observation/r")).json()["code"]["coding"]

    load(hub)
    read = (await ehr.read("Observation/r")).json()["code"]["coding"]
    tried = (await ehr.call("POST", "/$de-identify", local_result())).json()

    a1c = {"system": LOINC, "code": "4548-4"}
    assert alone["system"] == "urn:catchment:local"
    assert [{"system": c["system"], "code": c["code"]} for c in read] == [alone, a1c]
    kept = tried["parameter"][0]["resource"]["code"]["coding"]
    (translation,) = (p for p in tried["parameter"] if p["name"] == "translation")
    assert kept == read
    assert translation["part"] == [
        {"name": "from", "valueCoding": alone},
        {"name": "to", "valueCoding": a1c},
    ]
    assert "MILLER" not in f"{read} {tried}"


async def test_the_quality_report_counts_what_has_no_translation(
    hub: Hub, network: Network
):
    """By digest and element, in records, of all that is kept; a map empties it."""
    ehr = network.ehr()
    about = {"subject": make.reference("Patient/a")}
    local = make.condition(id="c", code=make.concept(LAB, "DM"), **about)
    results = [make.put(local_result(own_id)) for own_id in "rs"]
    await ehr.send(make.batch(*diabetic("a"), *results, make.put(local)))
    before = await report(ehr)

    load(hub)
    after = await report(ehr)

    def untranslated(answer: dict) -> list[tuple[str, int]]:
        (source,) = answer["sources"]
        return [(each["element"], each["records"]) for each in source["untranslated"]]

    assert untranslated(before) == [("Observation.code", 2), ("Condition.code", 1)]
    assert untranslated(after) == [("Condition.code", 1)]
    assert "MILLER" not in str(before)


async def test_a_map_that_was_stopped_half_way_is_finished_by_loading_it_again(
    hub: Hub, network: Network, monkeypatch: pytest.MonkeyPatch
):
    """Killed between its two steps, it looks changed by nothing the second time."""
    ehr = network.ehr()
    await ehr.send(make.batch(*diabetic("a"), make.put(local_result())))

    before = await poor_control(hub, ehr)
    with monkeypatch.context() as killed:
        killed.setattr(concept_maps, "remake_facts", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load(hub)
    half = await poor_control(hub, ehr)
    load(hub)

    after = await poor_control(hub, ehr)
    assert [before, half, after] == [(1, 1), (1, 1), (0, 1)]


async def test_no_byte_of_a_local_code_is_in_the_database(hub: Hub, network: Network):
    """Of the map, only digests and listed codes."""
    network.ehr()
    load(hub)

    with hub.engine.connect() as connection:
        rows = [
            tuple(row)
            for table in ("concept_map", "concept_mapping", "concept")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert len(rows) == 3
    assert "MILLER" not in str(rows)
    assert LAB not in str(rows)
