"""
Where the processes are born that tests kill: soon, and none is left behind.

One process has the program loaded and forks each of them, which saves each the three
seconds of loading. When its pipe ends, as it does however the tests end, it kills all
that were born of it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from tests.conftest import ROOT

GONE_SECONDS = 20


class Born:
    """A process that may be killed at any moment."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    @property
    def is_alive(self) -> bool:
        """Return whether it still runs; the nursery forgets who is dead at once."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill it as a lack of memory or of power would: it is told nothing."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Tell it to end, as a supervisor does: it ends in good order, when it can."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> None:
        """Return when it is gone."""
        until = time.monotonic() + GONE_SECONDS
        while self.is_alive:
            assert time.monotonic() < until, f"process {self.pid} does not end"
            time.sleep(0.002)

    @property
    def descendants(self) -> set[int]:
        """Return the processes that it started, and those that these did."""
        parents = dict(_parents())
        found, last = {self.pid}, set[int]()
        while found != last:
            last = set(found)
            found |= {pid for pid, parent in parents.items() if parent in last}
        return found - {self.pid}


def _parents() -> Iterator[tuple[int, int]]:
    """Yield each process of the machine with its parent (proc(5), field 4)."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            yield int(stat.parent.name), int(fields[1])


class Nursery:
    """The process that others are born of, as long as it is open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,  # so that Ctrl-C is not for it
        )

    def command(self, *words: str, environment: dict[str, str]) -> Born:
        """Start a command of the hub's; what it says is in the nursery's folder."""
        return self._born(words=words, environment=environment, said=words[0])

    def program(self, *words: str, user: str | None) -> Born:
        """Start another program, as a user of the system's."""
        return self._born(words=words, user=user, said=Path(words[0]).name, is_ours=0)

    def _born(self, said: str, **birth: Any) -> Born:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        birth |= {"folder": str(self._folder), "said": str(self._folder / said)}
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(birth) + "\n")
            self._process.stdin.flush()
            return Born(int(self._process.stdout.readline()))

    def close(self) -> None:
        """End all that were born of it, and the nursery."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    """Let be born what each line asks for, until there is none."""
    import app.cli  # noqa: F401, PLC0415  (only here, so that it is loaded once)
    from app.services import reception  # noqa: PLC0415

    reception.make_ready()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who is dead is gone at once
    born = []
    for line in sys.stdin:
        birth = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(birth)
        born.append(pid)
        print(pid, flush=True)  # noqa: T201
    for pid in born:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _live(birth: dict[str, Any]) -> NoReturn:
    """Become what was asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(birth["folder"])
    said = os.open(birth["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, said, said)):
        os.dup2(file, number)
    os.closerange(3, 64)
    if not birth.get("is_ours", True):
        _become_user(birth["user"])
        os.execv(birth["words"][0], birth["words"])
    from app import cli  # noqa: PLC0415

    os.environ.clear()
    os.environ.update(birth["environment"])
    sys.argv = ["catchment", *birth["words"]]
    code = 1
    try:
        cli.main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def _become_user(user: str | None) -> None:
    if user is not None:
        import pwd  # noqa: PLC0415

        known = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(known.pw_gid)
        os.setuid(known.pw_uid)


if __name__ == "__main__":
    main()
