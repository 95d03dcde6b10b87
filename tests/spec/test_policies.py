"""A policy file says on what ground records are kept, and nothing may be misread."""

from hashlib import sha256

import pytest

from app.deid.policies import parse_policy
from app.domain.errors import InvalidElementError, NotSupportedError
from tests.deidentification import (
    POLICY,
    POLICY_TEXT,
    deidentified,
    patient,
    policy,
)


def test_the_built_in_policy_is_a_limited_data_set():
    """Days of events and months of birth stay, under an agreement that is named."""
    terms = POLICY.terms

    assert terms.legal_basis == "limited_data_set"
    assert terms.agreement
    assert (terms.event_dates, terms.birth_dates) == ("day", "month")


def test_every_record_carries_the_digest_of_the_policys_text():
    """Which text that was can be proven later."""
    digest = sha256(POLICY_TEXT.encode()).hexdigest()

    assert POLICY.digest == digest
    assert deidentified(patient()).policy_digest == digest


@pytest.mark.parametrize("basis", ["safe_harbor", "expert_determination"])
def test_a_legal_basis_that_can_t_be_honoured_is_refused(basis: str):
    """Half of safe harbor would be none."""
    text = POLICY_TEXT.replace('"limited_data_set"', f'"{basis}"')

    with pytest.raises(NotSupportedError, match="not available yet"):
        policy(text)


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "",
        'keep_names = "yes"\n' + POLICY_TEXT,
        POLICY_TEXT.replace('"day"', '"second"'),
        POLICY_TEXT.replace('"month"', '"day"'),
        POLICY_TEXT.replace('"limited_data_set"', '"trust me"'),
        POLICY_TEXT.replace("agreement", "agreements"),
    ],
)
def test_a_policy_with_an_unknown_or_missing_key_is_refused(text: str):
    """A typing error must not be taken for consent."""
    with pytest.raises(InvalidElementError):
        policy(text)


@pytest.mark.parametrize("code", ["Ann", "7-of-9", "ann miller", "", "a" * 65])
def test_a_network_code_has_a_form(code: str):
    """The network's own codes are the only ones whose meaning we decide."""
    with pytest.raises(InvalidElementError):
        parse_policy(POLICY.stated, network_codes=["pucai-total", code])
