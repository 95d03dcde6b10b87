"""`catchment client`: a client's life in the administrator's hands."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.clinics import Audience
from app.main import hub_of
from app.services import registrations
from app.settings import Settings
from app.smart.clients import generate_key
from app.smart.vocabulary import AuthMethod
from app.store.sessions import open_engine
from tests.commands import Ended, refusal
from tests.reference.jwts import jwk_of
from tests.reference.parties import EC_KEY

JWK = jwk_of(EC_KEY, kid="k1")
SECRET_BASIC = AuthMethod.CLIENT_SECRET_BASIC.value
HEADER = [
    "client id",
    "status",
    "belongs to",
    "audience",
    "credentials",
    "scopes",
    "name",
    "contacts",
]
KEY_SETS = {
    "a private key": {"keys": [JWK | {"d": "c2VjcmV0"}]},
    "a symmetric key": {"keys": [{"kty": "oct", "kid": "o", "k": "c2Vj"}]},
    "two keys of one kid": {"keys": [JWK, JWK]},
    "a key without kid": {"keys": [{**JWK, "kid": ""}]},
    "no key": {"keys": []},
}


@pytest.fixture
def jwks(tmp_path: Path) -> str:
    """A file with the public keys of a client."""
    return write(tmp_path / "jwks.json", generate_key()[1])


@pytest.fixture
def clinic(catchment) -> str:
    """An enrolled clinic."""
    assert catchment("clinic", "add", "alder").code == 0
    return "alder"


def write(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document))
    return str(path)


def listed(catchment) -> dict[str, list[str]]:
    """Return the lines of ``client list`` by the client's id."""
    header, *lines = catchment("client", "list").output.splitlines()
    assert header.split("\t") == HEADER
    rows = [line.split("\t") for line in lines]
    return {row[0]: row[1:] for row in rows}


def row_of(environment: dict[str, str], client_id: str) -> dict[str, Any]:
    """Return what is stored of the one client there is."""
    engine = open_engine(environment["CATCHMENT_DATABASE_URL"])
    with engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM client")).mappings().one()
    engine.dispose()
    assert row["client_id"] == client_id
    return dict(row)


def shown_secret(ended: Ended) -> str:
    """Return the secret that a command showed."""
    (line,) = [line for line in ended.output.splitlines() if "secret" in line]
    return line.split()[-1]


def test_a_new_key_never_replaces_another_clients(catchment, tmp_path: Path):
    """A private key is nowhere else: a client whose key is gone is locked out."""
    key = tmp_path / "first.jwk"
    assert catchment("client", "add", "first", "--new-key", str(key)).code == 0
    kept = key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600

    again = catchment("client", "add", "other", "--new-key", str(key))

    assert "already" in refusal(again)
    assert key.read_text() == kept
    other = tmp_path / "other.jwk"
    done = catchment("client", "add", "other", "--new-key", str(other))
    assert done.code == 0, "the refused client was registered all the same"


def test_a_client_that_is_refused_leaves_no_key(catchment, tmp_path: Path):
    """A key that opens nothing would be taken for one that does."""
    key = tmp_path / "lost.jwk"
    done = catchment("client", "add", "lost", "--clinic", "none", "--new-key", str(key))
    assert "clinic" in refusal(done)
    assert not key.exists()


def test_a_list_says_who_may_do_what_and_no_secret(catchment, clinic, jwks):
    """Id, status, whose, audience, by what, scopes, name, contacts."""
    catchment("client", "add", "ehr", "--clinic", clinic, "--jwks", jwks)
    url = "https://app.example/jwks.json"
    catchment("client", "add", "chart", "--jwks-url", url, "--audience", "public")
    made = catchment("client", "add", "app", "--method", "client_secret_post")
    kid = json.loads(Path(jwks).read_text())["keys"][0]["kid"]

    lines = listed(catchment)

    assert lines["ehr"][:4] == [
        "active",
        "alder/ehr",
        "members",
        f"private_key_jwt {kid}",
    ]
    assert "system/Observation.cruds" in lines["ehr"][4]
    assert lines["chart"][:4] == [
        "active",
        "partner",
        "public",
        f"private_key_jwt {url}",
    ]
    assert lines["app"][3] == "client_secret_post"
    assert shown_secret(made) not in str(lines)


@pytest.mark.parametrize(
    "given",
    [
        ("--jwks", "{jwks}", "--new-key", "new.jwk"),
        ("--jwks-url", "https://a.example/j", "--new-key", "new.jwk"),
        ("--jwks", "{jwks}", "--jwks-url", "https://a.example/j"),
        (),
    ],
)
def test_a_client_has_its_keys_in_one_way(
    catchment, environment, jwks, tmp_path: Path, given: tuple[str, ...]
):
    """Of two, one would win in silence, and the clinic would hold the other."""
    catchment("client", "add", "old", "--jwks", jwks)
    before = row_of(environment, "old")
    words = [word.format(jwks=jwks) for word in given]

    added = refusal(catchment("client", "add", "new", *words))
    rotated = refusal(catchment("client", "rotate", "old", *words))

    ways = "Give one of --jwks, --jwks-url, --new-key and"
    assert f"{ways} a --method with a secret" in added
    assert f"{ways} --new-secret" in rotated
    assert row_of(environment, "old") == before
    assert not (tmp_path / "new.jwk").exists()


@pytest.mark.parametrize(
    "key_set",
    [
        pytest.param(
            key_set,
            marks=pytest.mark.conforms("A14", mutation=f"by command, {what}"),
            id=what,
        )
        for what, key_set in KEY_SETS.items()
    ],
)
def test_only_sound_public_keys_are_registered(
    catchment, environment, jwks, tmp_path: Path, key_set: dict
):
    """By whichever command they come."""
    catchment("client", "add", "old", "--jwks", jwks)
    before = row_of(environment, "old")
    bad = write(tmp_path / "bad.json", key_set)

    refusal(catchment("client", "add", "new", "--jwks", bad))
    refusal(catchment("client", "rotate", "old", "--jwks", bad))

    assert row_of(environment, "old") == before


@pytest.mark.parametrize("url", ["http://a.example/jwks", "ftp://a.example/jwks", "a"])
def test_keys_are_behind_https(catchment, url: str):
    """Who could change them on the way could speak for the client."""
    refusal(catchment("client", "add", "app", "--jwks-url", url))


def test_a_clinics_client_has_no_secret(catchment, clinic):
    """Neither added nor approved."""
    said = refusal(
        catchment(
            *("client", "add", "ehr", "--clinic", clinic),
            *("--method", "client_secret_basic"),
        )
    )

    assert "signs assertions" in said
    assert listed(catchment) == {}


def test_a_secret_is_shown_once_and_kept_as_a_digest(catchment, environment):
    """The next one is another, and the first opens nothing more."""
    first = shown_secret(catchment("client", "add", "app", "--method", SECRET_BASIC))
    kept = row_of(environment, "app")

    second = shown_secret(catchment("client", "rotate", "app", "--new-secret"))

    assert len(first) >= 43
    assert first != second
    assert first not in str(kept)
    assert kept["secret_hash"] != row_of(environment, "app")["secret_hash"]


def test_rotating_replaces_what_was_there(catchment, jwks, environment, tmp_path):
    """A set by a URL, the URL by a new key: never two at once."""
    catchment("client", "add", "ehr", "--jwks", jwks)

    catchment("client", "rotate", "ehr", "--jwks-url", "https://a.example/jwks")
    by_url = row_of(environment, "ehr")
    key = tmp_path / "new.jwk"
    catchment("client", "rotate", "ehr", "--new-key", str(key))
    by_key = row_of(environment, "ehr")

    assert (by_url["key_set"], by_url["jwks_uri"]) == (None, "https://a.example/jwks")
    assert by_key["jwks_uri"] is None
    assert json.loads(key.read_text())["kid"] in by_key["key_set"]
    assert "d" not in json.loads(by_key["key_set"])["keys"][0]


@pytest.mark.parametrize(
    ("added", "rotated"),
    [
        (("--method", SECRET_BASIC), ("--jwks-url", "https://a.example/jwks")),
        (("--jwks-url", "https://a.example/jwks"), ("--new-secret",)),
    ],
)
def test_rotating_does_not_change_the_way(catchment, added, rotated):
    """Keys do not become a secret by a slip of the hand."""
    catchment("client", "add", "app", *added)

    assert "authenticates by" in refusal(catchment("client", "rotate", "app", *rotated))


def test_a_refused_rotation_leaves_no_key(catchment, tmp_path):
    """Nor is there a client by it."""
    key = tmp_path / "lost.jwk"

    refusal(catchment("client", "rotate", "nobody", "--new-key", str(key)))

    assert not key.exists()


def test_a_revoked_client_stays_revoked(catchment, jwks):
    """New keys or an approval do not bring it back."""
    catchment("client", "add", "ehr", "--jwks", jwks)

    catchment("client", "revoke", "ehr")

    assert listed(catchment)["ehr"][0] == "revoked"
    refusal(catchment("client", "rotate", "ehr", "--jwks", jwks))
    refusal(catchment("client", "approve", "ehr", "--audience", "public"))
    refusal(catchment("client", "add", "ehr", "--jwks", jwks))
    refusal(catchment("client", "revoke", "nobody"))


@pytest.fixture
def pending(environment: dict[str, str], jwks) -> str:
    """A client that registered itself at the hub's door."""
    return register(environment, jwks=json.loads(Path(jwks).read_text()))


def register(environment: dict[str, str], **metadata: Any) -> str:
    """Register as a stranger at the hub of *environment*; return the client's id."""
    said = {
        "client_name": "An agent",
        "contacts": ["it@alder.example"],
        "scope": "system/Observation.cruds system/Measure.rs",
        "token_endpoint_auth_method": "private_key_jwt",
    }
    hub = hub_of(
        Settings(
            database_url=environment["CATCHMENT_DATABASE_URL"],
            master_key_file=Path(environment["CATCHMENT_MASTER_KEY_FILE"]),
        )
    )
    answer = registrations.register(hub, json.dumps(said | metadata).encode())
    hub.engine.dispose()
    return str(answer["client_id"])


def test_who_waits_is_listed_and_approved_for_a_clinic(catchment, clinic, pending):
    """With what it asked for, as far as the administrator allows it."""
    waiting = listed(catchment)[pending]

    done = catchment(
        *("client", "approve", pending, "--clinic", clinic),
        *("--scope", "system/Observation.cu"),
    )

    assert waiting[:3] == ["pending", "-", "-"]
    assert waiting[5:] == ["An agent", "it@alder.example"]
    assert done.output.endswith("may have: system/Observation.cu\n")
    assert listed(catchment)[pending][:3] == ["active", "alder/ehr", "members"]


@pytest.mark.parametrize("audience", Audience)
def test_who_waits_is_approved_as_a_partner(catchment, pending, audience: Audience):
    """What only a clinic may have is not granted, though it was asked for."""
    catchment("client", "approve", pending, "--audience", audience.value)

    row = listed(catchment)[pending]
    assert row[:3] == ["active", "partner", audience.value]
    assert row[4] == "system/Measure.rs"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--clinic", "nowhere"),
        ("--clinic", "alder", "--source", "lab"),
        ("--audience", "public", "--scope", "system/Patient.r"),
    ],
)
def test_an_approval_says_for_whom(catchment, clinic, pending, words):
    """What is not said or is not there lets nobody in."""
    refusal(catchment("client", "approve", pending, *words))

    assert listed(catchment)[pending][0] == "pending"
    assert clinic == "alder"


def test_an_app_with_a_secret_is_approved_for_no_clinic(catchment, clinic, environment):
    """A clinic's client signs; else the data door would open by a word."""
    app = register(environment, token_endpoint_auth_method=SECRET_BASIC)

    said = refusal(catchment("client", "approve", app, "--clinic", clinic))

    assert "signs assertions" in said
    assert catchment("client", "approve", app, "--audience", "public").code == 0


def test_who_is_rejected_is_forgotten(catchment, pending):
    """And cannot be twice."""
    assert catchment("client", "reject", pending).code == 0

    assert listed(catchment) == {}
    refusal(catchment("client", "reject", pending))
