"""A clinic's people sign in: what they then see, and whom the hub does not believe."""

import base64
import dataclasses
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.domain.clinics import ClinicStatus
from app.services.hub import Hub
from app.services.openings import RETURN_PATH
from app.smart.openid import OpenIdClient, Provider
from app.store import clinics
from app.store.sessions import write_session
from tests.hubs import Clock, rows_of
from tests.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    CLINIC_CLAIM,
    STRANGE_KEYS,
    IdentityProvider,
    unsigned,
)
from tests.released_hub import (
    LIVE,
    MEASURE,
    app_of,
    count_live,
    release,
    small_hub,
)
from tests.served import listening

pytestmark = pytest.mark.anyio

OWN = "/clinics/alder-creek"
OTHER = "/clinics/birch-hill"
PERSON = "Zq9 Person"
HOURS = 3600


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def running_provider(clock: Clock) -> Iterator[IdentityProvider]:
    """A provider, really served."""
    made = IdentityProvider(clock)
    with listening(made.app()) as issuer:
        made.issuer = issuer
        yield made


@pytest.fixture
def provider(running_provider: IdentityProvider) -> IdentityProvider:
    """The provider on a good day, until the test changes it."""
    running_provider.behave()
    return running_provider


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """What the hub reaches its provider by."""
    with httpx.Client(trust_env=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def hub(
    tmp_path_factory: pytest.TempPathFactory,
    running_provider: IdentityProvider,
    clock: Clock,
    http: httpx.Client,
) -> Iterator[Hub]:
    """A hub with a release, live numbers of two clinics, and a provider."""
    first = small_hub(tmp_path_factory.mktemp("hub"))
    openid = openid_of(first, running_provider.issuer, http)
    hub = dataclasses.replace(first, clock=clock, openid=openid)
    release(hub)
    count_live(hub, "alder-creek", LIVE)
    count_live(hub, "birch-hill", (13, 17))
    yield hub
    hub.engine.dispose()


@pytest.fixture(scope="module")
def app(hub: Hub) -> FastAPI:
    """The application, made once."""
    return app_of(hub)


def openid_of(hub: Hub, issuer: str, http: httpx.Client) -> OpenIdClient:
    stated = Provider(
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        clinic_claim=CLINIC_CLAIM,
    )
    return OpenIdClient(stated, http, redirect_uri=f"{hub.base_url}{RETURN_PATH}")


@pytest.fixture
async def browser(
    app: FastAPI,
    provider: IdentityProvider,  # noqa: ARG001  (on a good day)
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has signed in with."""
    async with browser_on(app) as opened:
        yield opened


def browser_on(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def way_back(browser: httpx.AsyncClient) -> str:
    """Begin to sign in, and return the address that the provider sends back to."""
    begun = await browser.get("/sign-in")
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as outside:
        let_in = await outside.get(begun.headers["Location"])
    return let_in.headers["Location"]


async def sign_in(browser: httpx.AsyncClient) -> httpx.Response:
    """Sign in; return the hub's last answer."""
    return await browser.get(await way_back(browser))


def session_cookie(answer: httpx.Response) -> str:
    (cookie,) = [
        each
        for each in answer.headers.get_list("Set-Cookie")
        if each.startswith("catchment_session=")
    ]
    return cookie


def assert_stays_outside(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert words in answer.text
    assert "catchment_session" not in str(answer.headers.get_list("Set-Cookie"))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_clinics_people_come_in_to_their_own_page(browser, provider, algorithm):
    """Through the provider and back, to the clinic's true numbers."""
    provider.algorithm = algorithm
    answer = await sign_in(browser)

    own = await browser.get(answer.headers["Location"])

    assert answer.headers["Location"] == OWN
    assert "Your own true numbers, live, not for passing on" in own.text
    assert "4 of 6 patients" in own.text


async def test_the_session_is_the_clinics_and_nobody_elses(browser):
    """No script reads the cookie, no other site sends it, and no person is in it."""
    cookie = session_cookie(await sign_in(browser))

    value, *attributes = cookie.split("; ")
    claims = json.loads(base64.urlsafe_b64decode(value.split(".")[1] + "=="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(attributes)
    assert f"Max-Age={8 * HOURS}" in attributes
    assert claims.keys() == {"clinic", "form", "exp"}
    assert claims["clinic"] == "alder-creek"


@pytest.mark.usefixtures("provider")
async def test_over_https_the_session_never_travels_in_the_clear(hub):
    """Where the hub is reached over TLS, its cookies are kept to it."""
    secure = dataclasses.replace(hub, base_url="https://hub.example")
    async with browser_on(app_of(secure)) as browser:
        begun = await browser.get("/sign-in")

    assert "Secure" in begun.headers["Set-Cookie"].split("; ")


async def test_nothing_of_a_person_is_kept(hub, browser, caplog):
    """Not in the store, nor in a log: only that some browser speaks for a clinic."""
    caplog.set_level(logging.DEBUG)
    before = rows_of(hub.engine)

    await sign_in(browser)
    page = await browser.get(OWN)

    assert rows_of(hub.engine) == before
    logs = f"{[vars(record) for record in caplog.records]}"
    for secret in (PERSON, "somebody"):
        assert secret not in logs + page.text


async def test_a_session_ends_after_eight_hours(browser, clock):
    """The end is looked at with each page; the browser's word does not count."""
    await sign_in(browser)
    kept = browser.cookies["catchment_session"]
    clock.pass_seconds(8 * HOURS - 60)
    before = await browser.get(OWN)
    clock.pass_seconds(60)
    browser.cookies.set("catchment_session", kept)
    after = await browser.get(OWN)

    assert before.status_code == 200
    assert after.status_code == 403


async def test_a_session_cannot_be_forged(app, browser):
    """Another clinic's code under the same signature, none, or another purpose."""
    await sign_in(browser)
    header, claims, signature = browser.cookies["catchment_session"].split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = base64.urlsafe_b64encode(
        json.dumps(read | {"clinic": "birch-hill"}).encode()
    ).decode()
    await browser.get("/sign-in")
    attempt = browser.cookies["catchment_sign_in"]

    for forged in (
        f"{header}.{other.rstrip('=')}.{signature}",
        unsigned(f"{header}.{claims}."),
        attempt,
        "x",
        "..",
    ):
        async with browser_on(app) as stranger:
            stranger.cookies.set("catchment_session", forged)
            page = await stranger.get("/")
        assert "Public release" in page.text


async def test_a_session_is_no_beginning_of_another(app, browser):
    """What was signed for one purpose is worth nothing for another."""
    await sign_in(browser)
    kept = browser.cookies["catchment_session"]
    async with browser_on(app) as stranger:
        stranger.cookies.set("catchment_sign_in", kept)
        answer = await stranger.get(f"{RETURN_PATH}?code=x&state=")

    assert_stays_outside(answer, 403, "no sign-in of this browser")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"nonce": "another"}, id="an answer to another sign-in"),
        pytest.param({"nonce": None}, id="an answer to no sign-in"),
        pytest.param({"exp": 1_700_000_000}, id="one that has expired"),
        pytest.param({"exp": None}, id="one that never does"),
        pytest.param({"aud": "another-hub"}, id="one for another hub"),
        pytest.param(
            {"aud": "another-hub", "azp": CLIENT_ID}, id="one we asked for, for another"
        ),
        pytest.param(
            {"aud": ["another-hub", CLIENT_ID]}, id="one for two, without who asked"
        ),
        pytest.param({"azp": "another-hub"}, id="one that another hub asked for"),
        pytest.param({"iss": "https://elsewhere.example"}, id="another provider's"),
        pytest.param({"at_hash": "AAAA"}, id="one of another access token"),
    ],
)
async def test_an_id_token_must_be_the_answer_to_this_sign_in(
    browser, provider, changes
):
    """Whatever else is right, one wrong claim and nobody is let in."""
    provider.changes = changes

    answer = await sign_in(browser)

    assert_stays_outside(answer, 403, "could not be verified")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_an_id_token_must_be_signed_by_the_provider(browser, provider, algorithm):
    """A key of the same name and another hand is not the provider's."""
    provider.algorithm, provider.keys = algorithm, STRANGE_KEYS

    answer = await sign_in(browser)

    assert_stays_outside(answer, 403, "could not be verified")


async def test_an_id_token_must_be_signed_at_all(browser, provider, monkeypatch):
    """`none` is an algorithm by name only."""
    signed = provider.id_token
    monkeypatch.setattr(provider, "id_token", lambda nonce: unsigned(signed(nonce)))

    answer = await sign_in(browser)

    assert_stays_outside(answer, 403, "could not be verified")


async def test_an_answer_comes_back_to_the_browser_that_asked(app, browser):
    """A link that somebody else's sign-in made lets nobody in."""
    address = await way_back(browser)

    async with browser_on(app) as stranger:
        without = await stranger.get(address)
        await stranger.get("/sign-in")
        another = await stranger.get(address)

    for answer in (without, another):
        assert_stays_outside(answer, 403, "no sign-in of this browser")


async def test_a_changed_state_is_refused(browser):
    """It ties the answer to the question."""
    address = re.sub("state=[^&]+", "state=another", await way_back(browser))

    assert_stays_outside(await browser.get(address), 403, "no sign-in of this browser")


async def test_a_sign_in_must_be_finished_within_ten_minutes(browser, clock):
    """What a browser keeps of it is worth nothing afterwards."""
    address = await way_back(browser)
    kept = browser.cookies["catchment_sign_in"]
    clock.pass_seconds(600)
    browser.cookies.set("catchment_sign_in", kept)

    assert_stays_outside(await browser.get(address), 403, "no sign-in of this browser")


async def test_a_code_works_once(browser):
    """The provider refuses it the second time, and so does the hub."""
    address = await way_back(browser)
    kept = browser.cookies["catchment_sign_in"]
    await browser.get(address)
    browser.cookies.set("catchment_sign_in", kept)

    assert_stays_outside(await browser.get(address), 403, "did not accept")


@pytest.mark.parametrize("clinic", ["no-such-clinic", None, 7, ["alder-creek"], ""])
async def test_who_belongs_to_no_clinic_is_told_so(browser, provider, clinic):
    """Known to the provider, and still without a clinic here."""
    provider.clinic = clinic

    assert_stays_outside(await sign_in(browser), 403, "names no clinic")


async def test_who_lets_nobody_in_is_heard(browser):
    """`error=access_denied` is a page, not a fault."""
    answer = await browser.get(f"{RETURN_PATH}?error=access_denied&state=x")

    assert_stays_outside(answer, 400, "let nobody in")


async def test_a_provider_that_fails_is_a_page_that_says_so(
    hub, browser, provider, http
):
    """Not there at all, or failing half-way: come back later."""
    address = await way_back(browser)
    provider.down = True
    half_way = await browser.get(address)
    gone = dataclasses.replace(hub, openid=openid_of(hub, "http://127.0.0.1:9", http))
    async with browser_on(app_of(gone)) as another:
        at_once = await another.get("/sign-in")

    for answer in (half_way, at_once):
        assert_stays_outside(answer, 503, "does not answer")


async def test_a_provider_that_describes_another_is_not_believed(hub, provider, http):
    """The issuer that it states must be the one that the operator named."""
    elsewhere = provider.issuer.replace("127.0.0.1", "localhost")
    named = dataclasses.replace(hub, openid=openid_of(hub, elsewhere, http))
    async with browser_on(app_of(named)) as another:
        answer = await another.get("/sign-in")

    assert_stays_outside(answer, 503, "does not describe itself")


async def test_signing_out_ends_the_session(browser):
    """By the form of a page; then the public's release is back."""
    await sign_in(browser)
    page = await browser.get("/")
    (form_token,) = re.findall(r'name="form_token" value="([^"]+)"', page.text)

    answer = await browser.post("/sign-out", data={"form_token": form_token})

    assert answer.status_code == 303
    assert "Public release" in (await browser.get("/")).text


@pytest.mark.parametrize("form", [{}, {"form_token": "guessed"}])
async def test_no_other_site_can_sign_somebody_out(browser, form):
    """Without the session's own form nothing happens, and a link is no form."""
    await sign_in(browser)

    refused = await browser.post("/sign-out", data=form)
    by_link = await browser.get("/sign-out")

    assert refused.status_code == 403
    assert by_link.status_code == 405
    assert "Members" in (await browser.get("/")).text


async def test_a_clinic_sees_its_true_months_beside_the_published(browser):
    """4 of 6 is too few for anybody else; 53 of 77 is what everybody sees."""
    await sign_in(browser)

    page = (await browser.get(f"/measures/{MEASURE}?clinic=alder-creek")).text
    table = (await browser.get(f"/measures/{MEASURE}/own.csv")).text

    assert "4 of 6" in page
    assert "53 of 77" in page
    assert "own-chart.svg" in page
    assert ",4,6," in table


async def test_another_clinics_live_numbers_are_never_shown(browser):
    """What is released of it, and nothing that it alone may see: 13 of 17."""
    await sign_in(browser)

    pages = [
        await browser.get(OTHER),
        await browser.get(f"/measures/{MEASURE}?clinic=birch-hill"),
        await browser.get(f"/measures/{MEASURE}/own.csv?clinic=birch-hill"),
        await browser.get(f"{OTHER}/scorecard.csv"),
    ]
    refused = await browser.get(f"{OTHER}/own.csv")

    assert [page.status_code for page in pages] == [200] * 4
    assert "50 of 93 patients" in pages[0].text
    for page in pages:
        assert "13 of 17" not in page.text
        assert ",13,17," not in page.text
    for page in pages[:2]:
        assert "Your own true numbers" not in page.text
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        f"/measures/{MEASURE}/own.csv",
        f"/measures/{MEASURE}/own-chart.svg",
        f"{OWN}/own.csv",
    ],
)
async def test_live_numbers_are_for_who_is_signed_in(browser, path):
    """Without a session 403; with it they stay in no cache."""
    before = await browser.get(path)
    await sign_in(browser)
    after = await browser.get(path)

    assert before.status_code == 403
    assert after.status_code == 200
    assert "no-store" in after.headers["Cache-Control"]


async def test_who_leaves_the_network_is_signed_out(hub, browser, provider):
    """With the clinic's term its people's sessions end, and no new one begins."""
    provider.clinic = "fern-dale"
    await sign_in(browser)
    assert (await browser.get("/clinics/fern-dale")).status_code == 200
    with write_session(hub.engine) as session:
        clinics.set_status(session, "fern-dale", status=ClinicStatus.LEFT)

    page = await browser.get("/")
    again = await sign_in(browser)

    with hub.engine.begin() as connection:
        back = text("UPDATE clinic SET status = 'active' WHERE code = 'fern-dale'")
        connection.execute(back)
    assert "Public release" in page.text
    assert_stays_outside(again, 403, "names no clinic")


async def test_without_a_provider_there_is_no_sign_in(tmp_path):
    """Off when unset: no link to it, and no door."""
    hub = small_hub(tmp_path)
    async with browser_on(app_of(hub)) as browser:
        page = await browser.get("/")
        door = await browser.get("/sign-in")
    hub.engine.dispose()

    assert "sign-in" not in page.text
    assert door.status_code == 404
