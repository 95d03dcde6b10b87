"""A release in which a patient of two clinics counts once, from door to door."""

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import text

from app.disclosure.audiences import (
    AudienceRules,
    Audiences,
    ClinicsShown,
    PeopleCounted,
)
from app.domain.errors import ConflictError, InvalidElementError
from app.main import hub_of
from app.services import releases
from app.services.hub import Hub
from app.store.sessions import write_session
from tests.api.test_counting import count, diabetic, result, series
from tests.api.test_linkage import hub, is_allowed
from tests.hubs import Network, bearer, settings_in
from tests.make import batch, put
from tests.reference.namesakes import someone

pytestmark = pytest.mark.anyio

__all__ = ["hub", "is_allowed"]

FEBRUARY = "2026-02-01"
NAMES = {
    "alpha": ("Anna", "Bea", "Cleo", "Dora"),
    "beta": ("Eva", "Fay", "Gwen", "Anna"),
    "gamma": ("Hope", "Ines", "Jo", "Kim"),
}


def releasing(hub: Hub, counts: PeopleCounted) -> Hub:
    """Return a hub whose audiences see no clinic, and two people or more."""
    rules = AudienceRules(k=2, min_clinics=3, clinics=ClinicsShown.NONE, counts=counts)
    read_by = Audiences(lock_days=60, public=rules, members=rules)
    return dataclasses.replace(hub, audiences=read_by)


@pytest.fixture
async def three_clinics(hub: Hub, network: Network) -> Network:
    """
    Four diabetics at each of three clinics: two with a good HbA1c, and two with none.

    Anna is at alpha, which has her HbA1c, and at beta, which has none.
    """
    for clinic, names in NAMES.items():
        entries = []
        for position, name in enumerate(names):
            own_id = f"p{position}"
            patient = someone(name, "Kowalski", "1970-05-01") | {"id": own_id}
            entries += [put(patient), *diabetic(own_id)[1:]]
            if position < 2:
                good = result(own_id, 7.0, day="2026-02-03", own_id=f"r{position}")
                entries.append(put(good))
        await network.ehr(f"{clinic}-ehr").send(batch(*entries))
    count(hub)
    return network


def publish(hub: Hub) -> None:
    with write_session(hub.engine) as session:
        releases.publish(session, hub)


async def test_she_counts_once_with_what_both_clinics_know(
    hub: Hub, three_clinics: Network
):
    """
    Summed, 6 of 12 are in poor control, as beta does not know her value.

    As one person she is in good control: 5 of 11. Each clinic sees what it saw.
    """
    partner = three_clinics.partner()
    alpha = three_clinics.ehr("alpha-again", clinic="alpha")
    beta = three_clinics.ehr("beta-again", clinic="beta")

    publish(releasing(hub, PeopleCounted.DEDUPLICATED))

    once = (await series(partner))[FEBRUARY]
    assert (once["n"], once["d"]) == (5, 11)
    for clinic, name in ((alpha, "alpha"), (beta, "beta")):
        own = (await series(clinic, clinic=name))[FEBRUARY]
        assert (own["n"], own["d"]) == (2, 4)
    token = bearer(await partner.fresh_token())
    answer = await partner.http.get("/v1/releases", headers=token)
    assert {each["counts"] for each in answer.json()["releases"]} == {"deduplicated"}


async def test_summed_counts_do_not_know_of_links(hub: Hub, three_clinics: Network):
    """What is linked is nobody's business where the rule says nothing of it."""
    publish(releasing(hub, PeopleCounted.SUMMED))

    summed = (await series(three_clinics.partner()))[FEBRUARY]
    assert (summed["n"], summed["d"]) == (6, 12)


@pytest.mark.parametrize("order", [list(PeopleCounted), list(PeopleCounted)[::-1]])
def test_no_audience_gets_both(hub: Hub, order: list[PeopleCounted]):
    """The second release is refused, whichever way came first."""
    first, second = order
    publish(releasing(hub, first))

    with pytest.raises(ConflictError):
        publish(releasing(hub, second))
    publish(releasing(hub, first))


async def test_a_clinic_that_is_in_no_release_has_no_part_in_anybody(
    hub: Hub, three_clinics: Network
):
    """While beta is onboarding nobody is told what only beta knows."""
    with write_session(hub.engine) as session:
        leave = "UPDATE clinic SET status = 'onboarding' WHERE code = 'beta'"
        session.connection().execute(text(leave))
    rules = releasing(hub, PeopleCounted.DEDUPLICATED)
    await three_clinics.ehr("delta-ehr").send(
        batch(*(e for n in range(4) for e in diabetic(f"p{n}")))
    )
    count(hub)

    publish(rules)

    once = (await series(three_clinics.partner()))[FEBRUARY]
    assert (once["n"], once["d"]) == (8, 12)


def test_no_hub_opens_that_would_deduplicate_without_links(tmp_path: Path):
    """The audiences file asks for what the policy does not allow."""
    built_in = Path("app/disclosure/audiences.toml").read_text()
    once = built_in.replace("\nmin_clinics", '\ncounts = "deduplicated"\nmin_clinics')
    audiences, policy = tmp_path / "audiences.toml", tmp_path / "policy.toml"
    audiences.write_text(once)
    stated = Path("app/deid/limited_data_set.toml").read_text()
    policy.write_text(stated.replace("birth_dates", "linkage = true\nbirth_dates"))
    settings = settings_in(tmp_path, audiences_file=audiences)

    with pytest.raises(InvalidElementError):
        hub_of(settings)
    allowed = hub_of(settings.model_copy(update={"policy": str(policy)}))
    assert allowed.audiences.counts is PeopleCounted.DEDUPLICATED
    assert allowed.policy.terms.linkage
