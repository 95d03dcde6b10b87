"""What senders were told is here, and what they sent: how the store must look."""

import threading
from collections import Counter
from typing import NamedTuple


class Upload(NamedTuple):
    """A bulk delivery that was acknowledged, by its status URL, and its lines."""

    client_id: str
    status_url: str
    lines: int


class Ledger:
    """
    The last word of each resource that was acknowledged: a number, or that it is gone.

    Who sends doesn't go on before the last word is acknowledged, so the order is given.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last: dict[tuple[str, str], float | None] = {}
        self.purged: set[tuple[str, str]] = set()
        self.uploads: list[Upload] = []
        self.repeated = Counter[str]()

    def acknowledge(self, client_id: str, words: dict[str, float | None]) -> None:
        """Note what is here now, by reference; None where it was withdrawn."""
        with self._lock:
            self.last |= {(client_id, name): said for name, said in words.items()}

    def acknowledge_upload(self, upload: Upload) -> None:
        """Note a bulk delivery."""
        with self._lock:
            self.uploads.append(upload)

    def acknowledge_purge(self, client_id: str, patient: str, *others: str) -> None:
        """Note that a patient was erased, with all that is about them."""
        with self._lock:
            for name in (patient, *others):
                self.last.pop((client_id, name), None)
            self.purged.add((client_id, patient))

    def repeat(self, why: str) -> None:
        """Note that something was not acknowledged, and is sent again."""
        with self._lock:
            self.repeated[why] += 1

    @property
    def current(self) -> dict[tuple[str, str], float]:
        """Return what is to count, with the number that each says."""
        return {key: said for key, said in self.last.items() if said is not None}
