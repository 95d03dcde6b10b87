"""When other clinics are looked at for one clinic's report."""

from app.disclosure.distributions import ClinicShare
from app.domain.quality import Finding
from app.services.network_shares import STALE_MS, NetworkShares, Shares

SINCE = 24_300


class Looker:
    """Looks at clinics, each of which takes 400 ms, and remembers at which."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000
        self.looked_at: list[int] = []
        self.shares = NetworkShares(wait_ms=500)

    def work_out(self, clinic_id: int) -> Shares:
        self.looked_at.append(clinic_id)
        self.now += 400
        share = ClinicShare(proportion=clinic_id / 100, people=len(self.looked_at))
        return {(Finding.LATE, None): share}

    def asked(self, *clinics: int, since: int = SINCE) -> list[int] | None:
        """Return how many looks there were by each clinic's share, if all are known."""
        found = self.shares.of_clinics(
            clinics, since=since, clock=lambda: self.now, work_out=self.work_out
        )
        if found is None:
            return None
        return [share.people for each in found for share in each.values()]


def test_an_answer_waits_for_a_few_clinics_and_the_next_for_others():
    """Two of 400 ms are begun in 500; the fifth is known with the third answer."""
    looker = Looker()

    answers = [looker.asked(1, 2, 3, 4, 5) for _ in range(4)]

    assert answers == [None, None, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]
    assert looker.looked_at == [1, 2, 3, 4, 5]


def test_what_is_stale_serves_until_it_is_looked_at_again():
    """After an hour the oldest comes first; no answer is without a network."""
    looker = Looker()
    looker.asked(1, 2)
    looker.asked(1, 2, 3)
    looker.now += STALE_MS

    assert looker.asked(1, 2, 3) == [4, 5, 3]
    assert looker.asked(1, 2, 3) == [4, 5, 6]
    assert looker.asked(1, 2, 3) == [4, 5, 6]


def test_another_month_is_looked_at_anew():
    """The usual window moves with the calendar."""
    looker = Looker()
    looker.asked(1)

    assert looker.asked(1, since=SINCE + 1) == [2]
