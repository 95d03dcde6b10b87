"""The dashboard from outside: what each reader sees, and what nobody may."""

import csv
import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from html.parser import HTMLParser

import httpx
import pytest
from fastapi import FastAPI
from typing_extensions import override

from app.services.hub import Hub
from app.services.invitations import members_link
from tests.released_hub import (
    CLINICS,
    HIDDEN_MEASURE,
    MEAN_MEASURE,
    MEASURE,
    MONTHS,
    TINY_CLINIC,
    app_of,
    keep_record,
    release,
    release_means,
    small_hub,
    token,
)

PAGE = f"/measures/{MEASURE}"
MEANS = f"/measures/{MEAN_MEASURE}"
PUBLIC_PAGES = (
    "/",
    "/releases",
    "/releases/2",
    "/docs",
    PAGE,
    f"{PAGE}?interval=month",
    f"/measures/{HIDDEN_MEASURE}",
)
MEMBERS_PAGES = (
    *(page for page in PUBLIC_PAGES if page != "/releases/2"),
    "/releases/1",
    f"{PAGE}?clinic=alder-creek",
    f"{PAGE}?stratum=age:0-6",
    MEANS,
    f"{MEANS}?clinic=alder-creek",
    f"{MEANS}?stratum=course:oligo",
    "/clinics",
    "/clinics/alder-creek",
    "/clinics/birch-hill",
)
CLINIC_WORDS = (*CLINICS, *CLINICS.values(), *TINY_CLINIC, "Birch")
REASONS = ("small", "complementary", "not_published", "without_population")
DASH = "\u2013"
ADDRESS = re.compile(r"""(?:src|href|action|srcset)\s*=\s*["']?([^"'\s>]*)|url\(""")


class Tables(HTMLParser):
    """The rows of a page's tables, by the id of the caption; cells as plain text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self._caption = ""
        self._inside = False
        self.feed(html)

    @override
    def handle_starttag(self, tag, attrs):
        if tag == "caption":
            self._caption = dict(attrs)["id"]
            self.rows[self._caption] = []
        elif tag == "tr":
            self.rows[self._caption].append([])
        elif tag in {"th", "td"}:
            self.rows[self._caption][-1].append("")
            self._inside = True

    @override
    def handle_endtag(self, tag):
        if tag in {"th", "td"}:
            self._inside = False

    @override
    def handle_data(self, data):
        if self._inside:
            self.rows[self._caption][-1][-1] += data


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = small_hub(tmp_path_factory.mktemp("hub"))
    release(hub)
    release_means(hub)
    keep_record(hub)
    yield hub
    hub.engine.dispose()


@pytest.fixture(scope="module")
def app(hub: Hub) -> FastAPI:
    """The application, made once."""
    return app_of(hub)


@pytest.fixture
async def visitor(hub: Hub, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a link."""
    async with _browser(hub, app) as client:
        yield client


@pytest.fixture
async def member(hub: Hub, app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that a members' link was opened in."""
    async with _browser(hub, app) as client:
        await client.get(members_link(hub))
        yield client


def _browser(hub: Hub, app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url=hub.base_url)


@pytest.mark.parametrize("page", PUBLIC_PAGES)
async def test_the_public_sees_no_clinic_and_no_number_of_members(visitor, page):
    """The open pages say what the public release says, and nothing of clinics."""
    text = (await visitor.get(page)).text

    assert not [word for word in CLINIC_WORDS if word in text]
    assert "of 100" not in text
    assert "Members\u2019 release" not in text


async def test_the_public_overview_shows_the_newest_public_number(visitor):
    """All months are suppressed, so the newest published interval is the quarter."""
    text = (await visitor.get("/")).text

    assert "302 of 501 patients" in text
    assert "60.3%" in text
    assert "Q2 2024" in text


@pytest.mark.parametrize(
    "page",
    [
        "/clinics",
        "/clinics.csv",
        "/clinics/alder-creek",
        "/clinics/no-such-clinic",
        "/clinics/alder-creek/scorecard.csv",
        f"{PAGE}?clinic=alder-creek",
        f"{PAGE}?clinic=no-such-clinic",
        f"{PAGE}/series.csv?clinic=alder-creek",
        f"{PAGE}/chart.svg?release=2&clinic=alder-creek",
    ],
)
async def test_the_public_cannot_tell_which_clinics_there_are(visitor, page):
    """A clinic that exists is refused in the same words as one that does not."""
    response = await visitor.get(page)

    assert response.status_code == 403
    assert "members only" in response.text


async def test_a_members_link_opens_the_members_release(hub, visitor):
    """The key goes from the address into a cookie that no script can read."""
    response = await visitor.get(members_link(hub))

    cookie = response.headers["Set-Cookie"]
    assert response.status_code == 303
    assert response.headers["Location"] == "/"
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    (seconds,) = re.findall(r"Max-Age=(\d+)", cookie)
    assert 30 * 86_400 - 60 < int(seconds) <= 30 * 86_400
    overview = (await visitor.get("/")).text
    assert "Alder Creek" in overview
    assert "73 of 100 patients" in overview


async def test_over_https_the_cookie_never_travels_in_the_clear(hub, visitor):
    """Where the hub is reached over TLS, the cookie is kept to it."""
    object.__setattr__(hub, "base_url", "https://hub.example")
    try:
        key = members_link(hub).partition("key=")[2]
        response = await visitor.get(f"/?key={key}")
    finally:
        object.__setattr__(hub, "base_url", "http://127.0.0.1:8000")

    assert "Secure" in response.headers["Set-Cookie"].split("; ")


async def test_an_expired_link_says_so(hub, visitor):
    """Thirty days are over: in plain words, and without a cookie."""
    response = await visitor.get(members_link(hub, days=-1))

    assert response.status_code == 403
    assert "This link has expired" in response.text
    assert "Set-Cookie" not in response.headers


async def test_a_kept_key_ends_with_its_link(hub, visitor):
    """The expiry is looked at with each page, not only when the link is opened."""
    key = members_link(hub, days=-1).partition("key=")[2]
    visitor.cookies.set("catchment_members", key)

    assert "Public release" in (await visitor.get("/")).text


async def test_a_link_cannot_be_forged(hub, visitor):
    """A later expiry, another signature or none at all opens nothing."""
    expiry, _, signature = members_link(hub).partition("key=")[2].partition(".")
    forged = [f"{int(expiry) + 1}.{signature}", f"{expiry}.{'A' * 43}", expiry, ".", ""]

    for key in forged:
        response = await visitor.get("/", params={"key": key})
        assert response.status_code == 403
        assert "not made by this hub" in response.text
        visitor.cookies.set("catchment_members", key)
        assert "Alder" not in (await visitor.get("/")).text


@pytest.mark.parametrize("page", MEMBERS_PAGES)
async def test_no_page_asks_anything_of_another_host(member, page):
    """Fonts, scripts, styles and pictures all come from the hub itself."""
    response = await member.get(page)

    assert response.status_code == 200
    addresses = ADDRESS.findall(response.text)
    assert addresses
    assert all(address.startswith(("/", "#", "data:")) for address in addresses)
    assert not any(address.startswith("//") for address in addresses)
    assert "<script" not in response.text
    assert " style=" not in response.text


async def test_the_style_sheet_asks_nothing_of_another_host(visitor):
    """Neither an import nor a font."""
    response = await visitor.get("/static/dashboard.css")

    assert response.status_code == 200
    assert "url(" not in response.text
    assert "@import" not in response.text


@pytest.mark.parametrize("page", [*MEMBERS_PAGES, "/measures/none", "/?key=x"])
async def test_every_page_comes_with_its_security_headers(member, page):
    """A page can be put in no frame, runs no script, and tells no one where from."""
    headers = (await member.get(page)).headers

    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy.split("; ")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in headers["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "client"),
    [
        ("interval=month", "app"),
        ("interval=quarter", "app"),
        ("clinic=alder-creek", "app"),
        ("clinic=birch-hill", "app"),
        ("clinic=fern-dale", "app"),
        ("stratum=age:0-6", "app"),
        ("interval=month", "anyone"),
        ("interval=quarter", "anyone"),
    ],
)
async def test_the_table_says_what_the_interface_says(
    hub, member, visitor, query, client
):
    """Every interval is there, suppressed ones marked; every figure is the same."""
    browser = member if client == "app" else visitor
    html = (await browser.get(f"{PAGE}?{query}")).text
    answer = await browser.get(f"/v1{PAGE}/series?{query}", headers=token(hub, client))

    rows = Tables(html).rows["points-table"][1:]
    points = answer.json()["points"][::-1]
    assert len(rows) == len(points) > 0
    for (_, value, patients, completeness, *_), point in zip(rows, points, strict=True):
        if point["reason"]:
            assert value == point["reason"].replace("-", " ")
            assert patients == DASH
            continue
        assert value == f"{point['value']:.1%}"
        assert patients == f"{point['n']} of {point['d']}"
        shown = point["completeness"]
        assert completeness == ("suppressed" if shown is None else f"{shown:.1%}")


async def test_the_limits_are_those_of_the_interface(hub, member):
    """The chart begins with the first published month, so the interface is asked so."""
    html = (await member.get(f"{PAGE}?interval=month")).text
    answer = await member.get(
        f"/v1{PAGE}/chart?interval=month&from=2024-02-01", headers=token(hub, "app")
    )

    rows = Tables(html).rows["points-table"][1:]
    points = answer.json()["points"][::-1]
    assert len(rows) == len(points) + 1 == MONTHS
    for row, point in zip(rows, points, strict=False):
        lower, upper = point["lower_limit"], point["upper_limit"]
        assert row[4] == f"{lower:.1%} {DASH} {upper:.1%}"


async def test_clinics_stand_beside_each_other_each_at_its_own_width(member):
    """Months of one, quarters of another, and one too small to publish."""
    html = (await member.get(PAGE)).text

    rows = {row[0]: row[1:4] for row in Tables(html).rows["clinics-table"][1:]}
    assert rows == {
        "Alder Creek": ["68.8%", "53 of 77", "Feb 2025"],
        "Birch & <b>Hill</b>": ["53.8%", "50 of 93", "Q4 2024"],
        "Fern Dale": ["not published", DASH, "2024"],
    }


async def test_strata_are_shown_with_those_suppressed(member):
    """The newest quarter of each age group."""
    html = (await member.get(PAGE)).text

    rows = Tables(html).rows["strata-age"][1:]
    assert [row[:3] for row in rows] == [
        ["Age 0 to 5", "77.5%", "31 of 40"],
        ["Age 6 to 11", "suppressed", DASH],
        ["Age 12 to 17", "85.6%", "83 of 97"],
    ]


async def test_means_stand_in_their_unit_with_their_spread(member):
    """The newest month: 100 people, 4.3, a deviation of 2, half from 1.5 to 4.5."""
    tables = Tables((await member.get(MEANS)).text)

    newest, *_, first = tables.rows["points-table"][1:]
    assert newest[:6] == [
        "Feb 2025",
        "4.3 score",
        "2.0",
        "3.0",
        f"1.5 {DASH} 4.5",
        "100",
    ]
    assert first[:5] == ["Jan 2024", "suppressed", DASH, DASH, DASH]
    assert tables.rows["clinics-table"][1:] == [
        ["Alder Creek", "3.2 score", "100", "Feb 2025"],
        ["Fern Dale", "not published", DASH, "2024"],
    ]


async def test_each_stratifier_has_a_table_of_its_own(member):
    """Age and the course of the disease each tell everybody apart."""
    rows = Tables((await member.get(MEANS)).text).rows

    by_age, by_course = (
        [row[:2] for row in rows[f"strata-{name}"][1:]] for name in ("age", "course")
    )
    assert by_age == [
        ["Age 0 to 5", "2.1 score"],
        ["Age 6 to 11", "suppressed"],
        ["Age 12 to 17", "3.9 score"],
    ]
    assert by_course == [["Poly", "4.2 score"], ["Oligo", "3.3 score"]]


async def test_a_scorecard_has_means_beside_proportions(member):
    """Each in its own words: patients of patients, or a mean of patients."""
    text = (await member.get("/clinics/alder-creek")).text

    assert "mean of 100 patients" in text
    assert "of 77 patients" in text


async def test_a_scorecard_has_the_network_beside_the_clinic(member):
    """50 of 93 at the clinic in the quarter in which the network had 190 of 300."""
    text = (await member.get("/clinics/birch-hill")).text

    assert "50 of 93 patients" in text
    assert "190 of 300 patients" in text


async def test_names_are_never_taken_for_markup(member):
    """A clinic's name is the operator's text, not HTML."""
    for page in ("/", PAGE, "/clinics/birch-hill"):
        text = (await member.get(page)).text
        assert "Birch &amp; &lt;b&gt;Hill" in text
        assert "<b>Hill" not in text


async def test_the_download_is_the_series_of_the_interface(hub, member):
    """One CSV, by either door."""
    mine = await member.get(f"{PAGE}/series.csv?interval=month")
    theirs = await member.get(
        f"/v1{PAGE}/series?interval=month",
        headers=token(hub, "app") | {"Accept": "text/csv"},
    )

    assert mine.text == theirs.text
    assert mine.headers["Content-Type"].startswith("text/csv")
    assert len(mine.text.splitlines()) == MONTHS + 1


async def test_every_picture_of_a_page_can_be_drawn(member):
    """Charts, spark lines and the funnel are SVG that may be kept for a day."""
    for page in MEMBERS_PAGES:
        text = (await member.get(page)).text
        for source in set(re.findall(r'<img[^>]* src="([^"]+)"', text)):
            picture = await member.get(unescape(source))
            assert picture.status_code == 200
            assert picture.headers["Content-Type"] == "image/svg+xml"
            assert picture.text.startswith("<svg")
            assert "immutable" in picture.headers["Cache-Control"]


async def test_every_picture_has_its_words(member):
    """Who cannot see the chart is told what is in it."""
    text = (await member.get(PAGE)).text

    words = re.findall(r'<img[^>]* alt="([^"]+)"', text)
    assert any("Control chart (p), Feb 2024 to Feb 2025." in each for each in words)
    assert any("Funnel plot" in each for each in words)
    assert len(words) == text.count("<img")


async def test_a_picture_is_drawn_for_its_ground(member):
    """The same marks on a dark screen, in colours that can be seen there."""
    light, dark = [
        (await member.get(f"{PAGE}/chart.svg?release=1&scheme={scheme}")).text
        for scheme in ("light", "dark")
    ]

    assert "#FFFFFF" in light.upper()
    assert "#0072B2" not in dark.upper()
    assert light.count("<path") == dark.count("<path")


async def test_a_picture_to_take_along_says_what_it_is(member):
    """On the page the heading does; a PNG in a slide has nothing around it."""
    address = f"{PAGE}/chart.svg?release=1&interval=month"
    there, alone = [
        (await member.get(f"{address}{more}")).text for more in ("", "&titled=true")
    ]
    picture = await member.get(f"{PAGE}/chart.png?release=1")

    assert ">JIA in low disease activity, by visit: Network</text>" not in there
    assert ">JIA in low disease activity, by visit: Network</text>" in alone
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("page", MEMBERS_PAGES)
async def test_every_table_and_picture_can_be_taken_along(member, page):
    """Each has its CSV, each its PNG."""
    text = (await member.get(page)).text
    sections = re.findall(r"(?s)<section.*?</section>", text)

    for section in sections if page != "/docs" else ():
        offered = re.findall(r'href="([^"]+)" download', section)
        if "<table" in section or 'class="board"' in section:
            assert any(".csv" in address for address in offered)
        pictures = re.findall(r'<img src="[^"]*/(\w+)\.svg', section)
        for kind in pictures:
            assert any(f"/{kind}.png" in address for address in offered)


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        ("/overview.csv", "of jia-low-disease-activity-visits: 73,100,0.73"),
        ("/clinics.csv", "of alder-creek: 53,77,0.6883116883116883"),
        (f"{PAGE}/clinics.csv", "of birch-hill: 50,93,0.5376344086021505"),
        (f"{PAGE}/strata.csv", "of age:0-6: 31,40,0.775"),
        (
            "/clinics/birch-hill/scorecard.csv",
            f"of {MEASURE}: 50,93,0.5376344086021505",
        ),
    ],
)
async def test_a_table_to_take_along_has_the_numbers_of_its_page(member, table, lines):
    """n, d and the value unrounded, of the newest interval that is published."""
    answer = await member.get(table)

    rows = csv.DictReader(answer.text.splitlines())
    named, _, numbers = lines.removeprefix("of ").partition(": ")
    told = [",".join((r["n"], r["d"], r["value"])) for r in rows if named in r.values()]
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert numbers in told


async def test_a_release_says_what_it_hides_and_why(hub, member):
    """As totals by reason, as `/v1` has them; never beside a single cell."""
    page = (await member.get("/releases/1")).text
    answer = await member.get("/v1/releases/1", headers=token(hub, "app"))
    table = (await member.get("/releases/1.csv")).text

    shown = answer.json()["summary"]
    reasons = [sum(each[name] for each in shown.values()) for name in REASONS]
    assert re.findall(r'<dd class="number">([\d,]+)</dd>', page) == [
        "11",
        "6",
        "1",
        "20",
    ]
    assert reasons == [11, 6, 1, 20]
    assert "36 of 54" in page  # 36 of 40 and 0 of 14
    assert "67%" in page
    assert "1,234 hidden counts in 9 blocks" in page
    (line,) = [row for row in csv.DictReader(table.splitlines()) if row["small"] == "1"]
    assert (line["measure"], line["cells_shown"], line["cells"]) == (
        MEASURE,
        "36",
        "40",
    )


async def test_releases_are_listed_to_their_own_readers(member, visitor):
    """Each audience has its own, and no other's is there."""
    rows = Tables((await member.get("/releases")).text).rows["releases-table"][1:]

    assert [row[0] for row in rows] == ["Release 1"]
    assert "36 of 54 (67%)" in rows[0]
    assert "Release 2" in (await visitor.get("/releases")).text
    assert (await member.get("/releases/2")).status_code == 404
    assert (await visitor.get("/releases/1")).status_code == 404


async def test_a_release_without_a_record_says_so(visitor):
    """One from before there were records is a page like any other."""
    page = await visitor.get("/releases/2")

    assert page.status_code == 200
    assert "keeps no record" in page.text


async def test_every_clinic_stands_on_one_board(member):
    """The network first; who publishes nothing is marked, who has nobody is a dash."""
    rows = Tables((await member.get("/clinics")).text).rows["board-table"]

    lines = {row[0]: row[1:] for row in rows[1:]}
    assert rows[0][2:] == ["Alder Creek", "Birch & <b>Hill</b>", "Fern Dale"]
    assert lines["JIA in low disease activity, by visit"] == [
        "73.0%",
        "68.8%",
        "53.8%",
        "not published",
    ]
    assert lines["JIA, mean pain, by visit"] == ["4.3", "3.2", DASH, "not published"]


@pytest.mark.parametrize("number", [2, 99])
async def test_a_picture_of_another_release_is_not_to_be_had(member, number):
    """2 is the public's release, which this reader's pages do not show."""
    response = await member.get(f"{PAGE}/chart.svg?release={number}")

    assert response.status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/measures/none", 404),
        ("/clinics/none", 404),
        (f"{PAGE}?interval=decade", 400),
        (f"{PAGE}?stratum=none", 404),
        (f"{PAGE}/table.svg?release=1", 400),
    ],
)
async def test_errors_on_pages_are_pages(member, path, status):
    """People get words, not JSON."""
    response = await member.get(path)

    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in response.text


async def test_errors_elsewhere_stay_as_they_were(visitor):
    """Programs get JSON, and so does a browser that opens the interface."""
    for path in ("/nowhere", "/v1/measures/none/series"):
        response = await visitor.get(path)
        assert response.headers["Content-Type"] == "application/problem+json"
    browser = {"Accept": "text/html"}
    v1 = await visitor.get("/v1/measures", headers=browser)
    mistaken = await visitor.get("/nowhere", headers=browser)
    assert v1.headers["Content-Type"] == "application/problem+json"
    assert mistaken.headers["Content-Type"].startswith("text/html")


async def test_a_suppressed_measure_is_marked_and_not_missing(visitor):
    """Every interval of it is a row, and the page says why there is no chart."""
    text = (await visitor.get(f"/measures/{HIDDEN_MEASURE}")).text

    rows = Tables(text).rows["points-table"][1:]
    assert [row[1] for row in rows] == ["suppressed"] * MONTHS
    assert "No interval of this series is published" in text


async def test_before_the_first_release_the_page_says_what_to_do(tmp_path):
    """A new hub is no error."""
    hub = small_hub(tmp_path)
    async with _browser(hub, app_of(hub)) as client:
        pages = [await client.get(path) for path in ("/", PAGE)]
    hub.engine.dispose()

    for page in pages:
        assert page.status_code == 200
        assert "Nothing is published yet" in page.text
        assert "catchment release" in page.text
