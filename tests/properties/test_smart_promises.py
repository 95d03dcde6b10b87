"""What the token endpoint never does, whatever comes in."""

import json
from collections.abc import Callable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotAuthenticatedError, ServiceError
from app.smart.client_metadata import parse_client_metadata
from app.smart.credentials import parse_credentials, parse_form
from app.smart.errors import InvalidClientError, InvalidScopeError
from app.smart.key_sets import parse_key_set
from app.smart.registration import check_description, check_registration
from app.smart.scopes import Interaction, allows, intersection, is_scope
from app.smart.token_requests import parse_token_request
from app.smart.tokens import read_token, signing_key_from
from tests.reference.jwts import b64url, jwk_of, jwt_of
from tests.reference.parties import (
    EC_KEY,
    NOW,
    Door,
    assertion,
    claims_of,
    clinic,
    header_of,
    key_set,
)

CANARY = "CANARY-7f3a"
KEY = signing_key_from(b"master key of a hub under test..")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
canaries = st.sampled_from(
    [CANARY, [CANARY], {CANARY: CANARY}, f"https://{CANARY}.example/", f"{CANARY}\0"]
)
header_names = st.sampled_from(
    ["alg", "typ", "kid", "jku", "jwk", "x5u", "x5c", "crit", "b64", "cty", CANARY]
)
claim_names = st.sampled_from(
    ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope", CANARY]
)


def said(error: BaseException) -> str:
    """Return all that a log with a traceback would show of *error*."""
    shown = [repr(error), str(getattr(error, "expression", ""))]
    if error.__cause__ is not None:
        shown.append(said(error.__cause__))
    if error.__context__ is not None and not error.__suppress_context__:
        shown.append(said(error.__context__))
    return " ".join(shown)


def refusal_of(act: Callable[[str], object], text: str) -> str:
    """Return what the refusal of *text* says, or nothing where it is taken."""
    try:
        act(text)
    except ServiceError as error:
        return said(error)
    return ""


@given(
    st.dictionaries(header_names, canaries, max_size=2),
    st.dictionaries(claim_names, canaries, max_size=2),
    st.booleans(),
)
def test_no_refusal_of_an_assertion_repeats_any_of_it(header, claims, encoded):
    """Errors are logged and returned; a claim may hold a patient's name."""
    text = assertion(header, claims)
    sent = text if encoded else text.replace(".", f".{CANARY}", 1)

    assert CANARY not in refusal_of(Door().admit, sent)


@given(st.lists(st.sampled_from([*claims_of(), *header_of()]), min_size=1), canaries)
def test_no_refusal_of_a_key_set_repeats_any_of_it(members, canary):
    """A set may come from anywhere, and may hold a private key."""
    names = {"alg": "kty", "typ": "crv", "kid": "kid", "iss": "x", "sub": "y"}
    jwk = jwk_of(EC_KEY, kid=CANARY) | {names.get(m, m): canary for m in members}
    for text in (key_set(jwk), key_set(jwk, jwk), json.dumps(canary), CANARY):
        assert CANARY not in refusal_of(parse_key_set, text)


@given(st.lists(st.tuples(st.sampled_from(["grant_type", "scope"]), st.just(CANARY))))
def test_no_refusal_of_a_request_repeats_any_of_it(form):
    """Parameters and scopes alike."""
    with pytest.raises(ServiceError) as refusal:
        parse_token_request(parse_form([*form, (CANARY, CANARY)]))
    assert CANARY not in said(refusal.value)
    with pytest.raises(InvalidScopeError) as empty:
        intersection(f"{CANARY} system/{CANARY}.r", ["system/Observation.r"])
    assert CANARY not in said(empty.value)


MEMBERS = (
    "client_name",
    "contacts",
    "grant_types",
    "jwks",
    "jwks_uri",
    "scope",
    "token_endpoint_auth_method",
)


@given(st.dictionaries(st.sampled_from(MEMBERS), canaries | json_values))
def test_no_refusal_of_a_registration_repeats_any_of_it(said):
    """A stranger's words; and whatever they are, they are parsed or refused."""
    assert CANARY not in refusal_of(registered, json.dumps(said | {CANARY: CANARY}))


def registered(text: str) -> None:
    """Register by *text*, as far as that goes without a database."""
    metadata = parse_client_metadata(text.encode())
    client = clinic(
        scopes=metadata.scopes,
        auth_method=metadata.auth_method,
        key_set=metadata.key_set,
        jwks_uri=metadata.jwks_uri,
    )
    check_description(metadata.client_name or "x", metadata.contacts)
    check_registration(client, dev_mode=False)


@given(st.text())
def test_any_basic_header_is_read_or_refused(text):
    """Whatever a stranger puts there, and without a word of it."""
    for header in (text, f"Basic {text}", f"Basic {b64url(text.encode())}"):
        said_of_it = refusal_of(
            lambda each: parse_credentials({}, authorization=each), header
        )
        assert CANARY not in said_of_it


@given(json_values, json_values, st.sampled_from([None, EC_KEY]))
def test_any_header_and_claims_are_refused_in_order(header, claims, key):
    """Whatever JSON can say, the answer is a refusal and not a failure."""
    text = jwt_of(json.dumps(header), json.dumps(claims), key)

    with pytest.raises(InvalidClientError):
        Door().admit(text)
    with pytest.raises(NotAuthenticatedError):
        read_token(text, key=KEY, issuer="i", audience="a", now=NOW)


@given(header_names, claim_names, json_values)
def test_one_member_of_any_shape_is_no_failure(name, claim, value):
    """Admitted or refused: there is no third way."""
    for text in (assertion({name: value}), assertion(claims={claim: value})):
        try:
            assert Door().admit(text).client_id == "clinic-a"
        except InvalidClientError:
            continue


@given(st.text() | st.binary().map(b64url))
def test_any_text_is_refused_in_order(text):
    """Headers and forms bring text that nobody has looked at."""
    for sent in (text, f"{text}.{text}.{text}"):
        with pytest.raises(InvalidClientError):
            Door().admit(sent)
        with pytest.raises(NotAuthenticatedError):
            read_token(sent, key=KEY, issuer="i", audience="a", now=NOW)


@given(json_values, json_values)
def test_any_key_set_is_parsed_or_refused(members, value):
    """Keys, and whatever stands where a key should be."""
    for document in (
        value,
        {"keys": members},
        {"keys": [jwk_of(EC_KEY, kid="k1") | {"key_ops": value, "use": value}]},
        {"keys": [jwk_of(EC_KEY, kid="k1") | {"kty": value}]},
    ):
        try:
            parse_key_set(json.dumps(document))
        except ServiceError:
            continue


TYPES = ("Observation", "Condition", "Patient")
INTERACTIONS = st.sets(st.sampled_from("cruds"), min_size=1).map(
    lambda chosen: "".join(i for i in "cruds" if i in chosen)
)
scope_texts = st.builds(
    "system/{}.{}".format,
    st.sampled_from([*TYPES, "*"]),
    INTERACTIONS | st.sampled_from(["read", "write", "*"]),
)


def covered(scopes: list[str]) -> set[tuple[str, str]]:
    """Return every pair of type and interaction that *scopes* cover, spelled out."""
    meanings = {"read": "rs", "write": "cud", "*": "cruds"}
    pairs = set()
    for scope in scopes:
        resource_type, _, how = scope.removeprefix("system/").partition(".")
        for name in TYPES if resource_type == "*" else [resource_type]:
            pairs |= {(name, i) for i in meanings.get(how, how)}
    return pairs


@given(
    st.lists(scope_texts | st.text(max_size=5), max_size=4),
    st.lists(scope_texts, max_size=4),
)
def test_exactly_what_both_sides_cover_is_granted(requested, allowed):
    """Never a type or interaction more (A16), and never one less."""
    both = covered([s for s in requested if is_scope(s)]) & covered(allowed)
    try:
        granted = intersection(" ".join(requested), allowed)
    except InvalidScopeError:
        granted = ()

    assert covered(list(granted)) == both
    for resource_type in TYPES:
        for interaction in get_args(Interaction):
            assert allows(
                granted, resource_type=resource_type, interaction=interaction
            ) is ((resource_type, interaction) in both)
