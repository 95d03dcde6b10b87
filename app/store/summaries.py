"""What clinics count themselves: sums by month, and the numbers one by one."""

from collections.abc import Collection

from sqlalchemy import bindparam, text

from app.domain.counts import Amount, Dated
from app.store.sessions import ReadSession, connection_of

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
