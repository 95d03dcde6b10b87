"""`catchment policy`: what a privacy officer reads, and what an operator is told."""

from pathlib import Path

import pytest
from sqlalchemy import text

from app.store.sessions import open_engine
from tests.commands import refusal
from tests.deidentification import POLICY_TEXT


def test_check_tells_what_a_policy_is_and_which_measures_it_answers(catchment):
    """Basis, reference, end, what HIPAA calls it, and each measure with its reason."""
    ended = catchment("policy", "check", "safe_harbor")
    lines = ended.output.splitlines()

    assert ended.code == 0, ended
    assert lines[0].startswith("safe-harbor 1, SHA-256 ")
    assert "Legal basis: safe_harbor, 45 CFR 164.514(b)(2)" in lines
    assert "Holds: up to 2030-12-31; after that day nothing is stored" in lines
    assert any("not de-identified as rows" in line for line in lines)
    assert "child-weight-assessment: answered by year, from 1958 on" in lines
    assert any(
        line.startswith("hba1c-poor-control: not answered: the latest value")
        for line in lines
    )


def test_check_without_a_file_is_of_the_hubs_own_policy(catchment):
    """The one of the settings: by default a limited data set, that answers all."""
    usual = catchment("policy", "check").output
    chosen = catchment("policy", "check", CATCHMENT_POLICY="safe_harbor").output

    assert usual.startswith("limited-data-set ")
    assert "not answered" not in usual
    assert chosen.startswith("safe-harbor ")


def test_check_says_that_an_opinion_has_expired(catchment):
    """The built-in one is a model, under which nothing can be stored."""
    lines = catchment("policy", "check", "expert_determination").output.splitlines()

    assert (
        "Holds: no more: it expired on 2000-01-01, and nothing is stored under it"
        in lines
    )


def test_check_tells_what_each_rule_takes_away(catchment, tmp_path: Path):
    """Rules stand beside the policy that names them; one that does nothing is told."""
    rule = '{"path": "%s", "method": "redact"}'
    paths = ("Patient.gender", "Patient.name")
    listed = ", ".join(rule % path for path in paths)
    (tmp_path / "own.json").write_text(f'{{"fhirPathRules": [{listed}]}}')
    policy = 'narrowed_by = ["own.json"]\n' + POLICY_TEXT
    (tmp_path / "own.toml").write_text(policy)

    lines = catchment("policy", "check", "own.toml").output.splitlines()

    assert "own.json, rule 1, Patient.gender: takes away Patient.gender" in lines
    assert "own.json, rule 2, Patient.name: takes nothing away here" in lines
    assert (
        "ibd-growth-satisfactory: not answered: the policy takes away Patient.gender"
        in lines
    )


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("none.toml", None, "No policy at none.toml"),
        ("odd.toml", "keep_names = 1\n" + POLICY_TEXT, "odd.toml: Object contains"),
        ("own.toml", 'narrowed_by = ["x.json"]\n' + POLICY_TEXT, "no file x.json"),
    ],
)
def test_a_policy_that_can_t_be_read_is_named(catchment, tmp_path, name, written, said):
    """By file and key, in one line; and the hub does not start with it."""
    if written is not None:
        (tmp_path / name).write_text(written)

    for words, settings in (
        (("policy", "check", name), {}),
        (("clinic", "list"), {"CATCHMENT_POLICY": name}),
    ):
        assert said in refusal(catchment(*words, **settings))


def test_explain_says_element_by_element_what_stays_and_what_goes(catchment):
    """A date by its finest part, an id as a hash, the rest by name."""
    lines = catchment("policy", "explain", "safe_harbor").output.splitlines()

    assert (
        "  Patient.birthDate: its year; who was born in 1940 or before is in one group"
        in lines
    )
    assert "  Observation.effective: its year" in lines
    assert "  Patient.identifier: a keyed hash" in lines
    assert "What goes:" in lines


@pytest.mark.parametrize(
    ("first", "second", "code", "sign"),
    [
        ("safe_harbor", "limited_data_set", 1, "+"),
        ("limited_data_set", "safe_harbor", 0, "-"),
        ("safe_harbor", "safe_harbor", 0, ""),
    ],
)
def test_diff_ends_with_1_where_the_second_keeps_more(
    catchment, first, second, code, sign
):
    """So that a change of policy that keeps more cannot pass a pipeline unseen."""
    ended = catchment("policy", "diff", first, second)

    assert ended.code == code
    assert {line[0] for line in ended.output.splitlines()} == set(sign)
    if sign:
        assert f"{sign} Observation.effective: month, day" in ended.output


def test_a_hub_does_not_start_on_records_that_its_policy_would_not_have(
    catchment, environment: dict[str, str]
):
    """And `check` says why, before anybody tries."""
    assert catchment("clinic", "list").code == 0  # which notes the policy in force
    _store_a_record(environment)

    checked = catchment("policy", "check", "safe_harbor")
    refused = refusal(catchment("clinic", "list", CATCHMENT_POLICY="safe_harbor"))

    assert checked.code == 1
    assert "begin with a new database" in checked.output.splitlines()[-1]
    assert "begin with a new database" in refused
    assert catchment("policy", "check").code == 0
    assert catchment("clinic", "list").code == 0


def _store_a_record(environment: dict[str, str]) -> None:
    """Put one Patient into the database, under the policy that it has noted."""
    engine = open_engine(environment["CATCHMENT_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO clinic (code, name, status) VALUES ('a', 'a', 'active')")
        )
        connection.execute(
            text(
                "INSERT INTO source (clinic_id, name, base_urls, identifier_systems,"
                " time_zone, padded_dates) VALUES (1, 'ehr', '[]', '[]', 'UTC', false)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO record (type, source_id, subject_id, encounter_id,"
                " version, state, content, policy_digest, received_at)"
                " SELECT 1, 1, 1, 0, 1, 1, '{}', digest, 0 FROM policy"
            )
        )
    engine.dispose()
