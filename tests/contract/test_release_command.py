"""`catchment release`: what it publishes, and what it only compares."""

from pathlib import Path

from tests.commands import refusal

RULES = """
lock_days = 60
public = {k = 20, min_clinics = 3, clinics = "none"}
members = {k = 10, min_clinics = 3, clinics = "named"}
"""


def test_a_preview_compares_rules_and_publishes_nothing(catchment, tmp_path: Path):
    """A network chooses its thresholds before the first release, not after it."""
    rules = tmp_path / "strict.toml"
    rules.write_text(RULES)

    ended = catchment("release", "--preview", "--rules", "strict.toml")

    assert ended.code == 0, ended
    for word in ("What members would see", "public", "the hub's rules", "strict.toml"):
        assert word in ended.output
    assert "Release 1 for members" in catchment("release").output


def test_rules_that_cannot_be_used_are_refused(catchment, tmp_path: Path):
    """A misspelt threshold is no threshold, and would compare with nothing."""
    rules = tmp_path / "wrong.toml"
    rules.write_text(RULES.replace("k = 20", "k = 20, round_to = 100"))

    told = refusal(catchment("release", "--preview", "--rules", "wrong.toml"))

    assert "`round_to` is above `k` - at `$.public`" in told


def test_a_release_is_made_by_the_hubs_own_rules(catchment, tmp_path: Path):
    """Other rules are for comparing: what they published could not be explained."""
    (tmp_path / "other.toml").write_text(RULES)

    assert "add --preview" in refusal(catchment("release", "--rules", "other.toml"))
