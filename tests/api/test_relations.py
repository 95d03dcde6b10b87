"""What measures say of each other, held to what clinics sent."""

from dataclasses import replace

import msgspec

from app.services.hub import Hub
from app.services.relations import broken_relations
from app.store.sessions import read_session
from tests.api.test_counting import count, diabetic, result
from tests.hubs import Network
from tests.make import batch


async def test_a_relation_that_the_data_contradict_is_told(hub: Hub, network: Network):
    """Poor control is no part of controlled pressure: one diabetic shows it."""
    poor = next(m for m in hub.measures if m.id == "hba1c-poor-control")
    claimed = msgspec.structs.replace(poor, subset_of=("bp-control",))
    claiming = replace(
        hub, measures=tuple(claimed if m is poor else m for m in hub.measures)
    )
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a")))
    await ehr.put(result("a", 9.5, day="2026-02-03", own_id="r"))
    count(hub)

    with read_session(hub.engine) as session:
        told = broken_relations(session, claiming)
        holding = broken_relations(session, hub)

    assert {(each.measure_id, each.others) for each in told} == {
        ("hba1c-poor-control", ("bp-control",))
    }
    assert holding == []
