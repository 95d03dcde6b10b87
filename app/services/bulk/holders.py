"""
Who holds a job: a process, named so that on the same machine a dead one is known.

Elsewhere, or in another container, the dead are known by their leases alone, which run
out. To be wrong about it costs a step and no more: leases fence what a holder writes.
"""

import hashlib
import os
import secrets
from pathlib import Path

PROC = Path("/proc")
_STATE, _STARTED = 0, 19
"""What a process does, and when it started since boot: fields 3 and 22 (proc(5))."""
GONE = frozenset("ZX")


def holder_name() -> str:
    """Return a name for this process that no other has, at most 64 characters."""
    pid = os.getpid()
    return "-".join((_place(), str(pid), _started(pid) or "0", secrets.token_hex(4)))


def is_dead(holder: str) -> bool:
    """Return whether a holder was a process of this machine, which is no more."""
    place, _, rest = holder.partition("-")
    pid, _, rest = rest.partition("-")
    started = rest.partition("-")[0]
    if place != _place() or not pid.isdecimal() or started in {"", "0"}:
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's, who has the number now or had it always
        return False
    return _started(int(pid)) not in {None, started}


def _place() -> str:
    """Return what the numbers of processes are unique in: a container, since boot."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text()
        numbers = str((PROC / "self/ns/pid").readlink())
    except OSError:  # not on Linux
        return secrets.token_hex(4)
    return hashlib.sha256(f"{boot}{numbers}".encode()).hexdigest()[:12]


def _started(pid: int) -> str | None:
    """Return when a process started; "gone" if only its parent knows it still."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return "gone" if fields[_STATE] in GONE else fields[_STARTED]
