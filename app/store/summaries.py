"""What clinics count themselves: sums by month, and the numbers one by one."""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, text

from app.domain.counts import Amount, Dated
from app.store.sessions import ReadSession, WriteSession, connection_of

_SUMS = text(
    "SELECT clinic_id, month, ward, concept_id, CAST(SUM(value) AS BIGINT) AS value "
    "FROM summary_fact WHERE clinic_id IN :clinics AND concept_id IN :concepts "
    "GROUP BY clinic_id, month, ward, concept_id"
).bindparams(
    bindparam("clinics", expanding=True), bindparam("concepts", expanding=True)
)
_DATED = text(
    "SELECT month, concept_id, day, value FROM summary_fact "
    "WHERE clinic_id = :clinic AND concept_id IN :concepts"
).bindparams(bindparam("concepts", expanding=True))
_OF_WARD = "clinic_id = :clinic_id AND ward = :former"
_RENAME_WARD = (
    text(
        "UPDATE record SET content = REPLACE(content, :former, :ward) WHERE id IN "
        f"(SELECT record_id FROM summary_fact WHERE {_OF_WARD})"
    ),
    text(f"UPDATE summary_fact SET ward = :ward WHERE {_OF_WARD}"),
)


def read_sums(
    session: ReadSession, *, concept_ids: Collection[int], clinic_ids: Collection[int]
) -> list[Amount]:
    """Return the sums of some concepts and clinics, month by month."""
    values = {"concepts": list(concept_ids), "clinics": list(clinic_ids)}
    return [Amount(*row) for row in connection_of(session).execute(_SUMS, values)]


def read_dated(
    session: ReadSession, *, concept_ids: Collection[int], clinic_id: int
) -> list[Dated]:
    """Return each number that one clinic sent of some concepts."""
    values = {"concepts": list(concept_ids), "clinic": clinic_id}
    return [Dated(*row) for row in connection_of(session).execute(_DATED, values)]


def rename_wards(
    session: WriteSession, clinic_id: int, former: Mapping[str, Collection[str]]
) -> None:
    """
    Let a clinic's numbers of wards be known by the wards' new digests.

    *former* has the digests under older keys by the current ones. A report covers what
    Observations say of its ward, so all of one ward is to be under one name.
    """
    for ward, older in former.items():
        for each in older:
            values = {"clinic_id": clinic_id, "former": each, "ward": ward}
            for statement in _RENAME_WARD:
                connection_of(session).execute(statement, values)
