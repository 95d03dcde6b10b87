"""Two clinics that send one patient at the same time."""

from concurrent.futures import ThreadPoolExecutor, wait

from sqlalchemy import text

from app.domain.linkage import LinkageToken, TokenKind
from app.services.linkage import relink
from app.store.sessions import open_engine, write_session
from app.store.tables import metadata

TOKENS = frozenset({LinkageToken(TokenKind.NAME, 1, b"\1" * 20)})
CLINICS = [{"id": n, "code": f"c{n}", "name": "", "status": "active"} for n in (1, 2)]
HALF_A_SECOND = 0.5
"""Long enough for who does not wait to be through."""
PATIENTS = [{"id": 10 * n, "clinic_id": n} for n in (1, 2)]


def test_neither_misses_the_other(database_url: str):
    """The second waits until the first is there to be seen."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(metadata.tables["clinic"].insert(), CLINICS)
        connection.execute(metadata.tables["subject"].insert(), PATIENTS)

    def second() -> None:
        with write_session(engine) as session:
            relink(session, {20: TOKENS})

    with ThreadPoolExecutor(1) as pool:
        with write_session(engine) as session:
            relink(session, {10: TOKENS})
            sent = pool.submit(second)
            assert wait([sent], timeout=HALF_A_SECOND).not_done
        sent.result(30)

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM linkage_cluster ORDER BY 1"))
        (one, cluster), (other, same) = rows
    assert (one, other) == (10, 20)
    assert cluster == same
    engine.dispose()
