"""`catchment quality`: the report of a clinic in the operator's hands."""

from tests.commands import refusal


def test_an_operator_sees_what_a_clinic_sees(catchment):
    """Of a clinic that has sent nothing: no data, and nothing found."""
    catchment("clinic", "add", "alder")

    ended = catchment("quality", "alder", COLUMNS="200")

    assert ended.code == 0, ended
    assert ended.output.startswith("alder, ")
    assert "Observations: 0" in ended.output
    assert "Source ehr" in ended.output
    assert "unmapped-code" in ended.output
    assert "few-clinics" in ended.output


def test_a_clinic_that_is_not_there_is_refused(catchment):
    """In one line, as every command refuses."""
    assert refusal(catchment("quality", "nobody")) == (
        "catchment: No clinic of that code"
    )
