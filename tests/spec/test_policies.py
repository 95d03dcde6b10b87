"""A policy file says on what ground records are kept, and nothing may be misread."""

from datetime import date
from hashlib import sha256

import pytest

from app.deid.comparisons import difference, kept
from app.deid.policies import LimitedDataSet, parse_policy
from app.deid.pseudonyms import KeyRing
from app.domain.calendar import day_number
from app.domain.errors import InvalidElementError
from app.domain.records import PartialDate, Precision
from app.services.openings import check_key
from tests.deidentification import (
    POLICY,
    POLICY_TEXT,
    built_in,
    deidentified,
    encounter,
    patient,
    policy,
)

SAFE_HARBOR = built_in("safe_harbor")
EXPERT = built_in("expert_determination")
RULES = '{"fhirPathRules": [{"path": "Patient.gender", "method": "redact"}]}'


def test_the_default_policy_is_a_limited_data_set():
    """Days of events and months of birth stay, under an agreement that is named."""
    terms = POLICY.terms

    assert isinstance(terms, LimitedDataSet)
    assert terms.legal_basis == "limited_data_set"
    assert terms.reference == "45 CFR 164.514(e)"
    assert terms.agreement
    assert (terms.event_dates, terms.birth_dates) == ("day", "month")
    assert terms.last_day is None


def test_safe_harbor_keeps_years_and_the_oldest_as_one_group():
    """Who is 90 by the end of 2030 was born in 1940 or before."""
    keeping = SAFE_HARBOR.keeping

    assert SAFE_HARBOR.terms.legal_basis == "safe_harbor"
    assert (keeping.dates, keeping.oldest_birth_year) == ("year", 1940)
    assert SAFE_HARBOR.terms.last_day == date(2030, 12, 31)


def test_the_built_in_expert_policy_has_expired_until_an_opinion_is_named():
    """Nothing may be stored under nobody's opinion."""
    assert EXPERT.terms.legal_basis == "expert_determination"
    assert EXPERT.keeping.dates == "month"
    assert EXPERT.terms.last_day == date(2000, 1, 1)


def test_every_record_carries_the_digest_of_the_policys_text():
    """Which text that was can be proven later."""
    digest = sha256(POLICY_TEXT.encode()).hexdigest()

    assert POLICY.digest == digest
    assert deidentified(patient()).policy_digest == digest


def test_the_digest_covers_the_rules_that_narrow_it():
    """Other rules are another policy, though its own file is the same."""
    text = 'narrowed_by = ["own.json"]\n' + POLICY_TEXT
    one, other = (policy(text, own=rules) for rules in (RULES, RULES + " "))

    assert len({POLICY.digest, one.digest, other.digest}) == 3


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("not toml", "not TOML"),
        ("", "legal_basis"),
        ('keep_names = "yes"\n' + POLICY_TEXT, "keep_names"),
        (POLICY_TEXT.replace('"day"', '"second"'), "event_dates"),
        (POLICY_TEXT.replace('"month"', '"day"'), "birth_dates"),
        (POLICY_TEXT.replace('"limited_data_set"', '"trust me"'), "legal_basis"),
        (POLICY_TEXT.replace("agreement", "agreements"), "agreement"),
        (POLICY_TEXT.replace("reference =", "# reference ="), "reference"),
        (POLICY_TEXT + "key_id = 0\n", "key_id"),
        (SAFE_HARBOR.stated.text.replace("ages_as_of", "as_of"), "as_of"),
        (SAFE_HARBOR.stated.text.replace('"year"', '"month"'), "event_dates"),
        (SAFE_HARBOR.stated.text.replace("2030-12-31", '"soon"'), "ages_as_of"),
        (EXPERT.stated.text.replace("expires", "# expires"), "expires"),
        (EXPERT.stated.text.replace("opinion =", "# opinion ="), "opinion"),
        (EXPERT.stated.text + 'agreement = "None"\n', "agreement"),
    ],
)
def test_a_key_that_is_unknown_missing_or_wrong_is_named_with_its_file(text, named):
    """A typing error must not be taken for consent, and is to be found at once."""
    with pytest.raises(InvalidElementError) as refused:
        policy(text)

    assert refused.value.message.startswith("policy.toml: ")
    assert named in refused.value.message


@pytest.mark.parametrize("code", ["Ann", "7-of-9", "ann miller", "", "a" * 65])
def test_a_network_code_has_a_form(code: str):
    """The network's own codes are the only ones whose meaning we decide."""
    with pytest.raises(InvalidElementError):
        parse_policy(POLICY.stated, network_codes=["pucai-total", code])


def test_a_policy_for_another_key_is_refused():
    """Names under a key that the policy does not mean would be found by nobody."""
    keys = KeyRing(
        network="test", current=2, masters={1: b"\x01" * 32, 2: b"\x02" * 32}
    )

    check_key(POLICY, keys)
    check_key(policy(POLICY_TEXT + "key_id = 2\n"), keys)
    with pytest.raises(InvalidElementError) as refused:
        check_key(policy(POLICY_TEXT + "key_id = 1\n"), keys)
    assert refused.value.expression == "key_id"


def test_policies_are_compared_element_by_element():
    """Days beyond months beyond years, and the years of birth of the oldest."""
    months = policy(EXPERT.stated.text)

    assert difference(POLICY, SAFE_HARBOR) == []
    assert difference(POLICY, months) == []
    assert "Observation.effective: day" in difference(months, POLICY)
    assert "Observation.effective: month, day" in difference(SAFE_HARBOR, POLICY)
    assert "Patient.birthDate: years before 1940" in difference(SAFE_HARBOR, POLICY)
    later = policy(SAFE_HARBOR.stated.text.replace("2030-12-31", "2035-12-31"))
    assert difference(later, SAFE_HARBOR) == ["Patient.birthDate: years before 1945"]
    assert difference(SAFE_HARBOR, later) == []
    assert kept(POLICY)["Patient.address.postalCode"]


@pytest.mark.parametrize(
    ("under", "day", "precision"),
    [
        (POLICY, date(2023, 12, 31), Precision.DAY),
        (EXPERT, date(2023, 12, 1), Precision.MONTH),
        (SAFE_HARBOR, date(2023, 1, 1), Precision.YEAR),
    ],
)
def test_an_instant_is_cut_in_the_zone_of_its_source_before_anything_else(
    under, day, precision
):
    """2 o'clock in UTC on New Year's Day is 31 December in New York: another year."""
    start = {"period": {"start": "2024-01-01T02:00:00Z"}}

    record = deidentified(encounter(**start), under=under)

    assert record.content.start == PartialDate(day_number(day), precision)


def test_when_it_was_sent_is_kept_only_where_days_are():
    """The last update of a result is, to the minute, nearly when it was found."""
    sent = encounter(meta={"lastUpdated": "2024-03-01T08:00:00Z"})

    orders = [
        deidentified(sent, under=under).sent_order
        for under in (POLICY, EXPERT, SAFE_HARBOR)
    ]

    assert orders == [1_709_280_000_000, None, None]
