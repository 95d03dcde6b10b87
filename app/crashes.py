"""A process that dies leaves nothing of its memory on a disk."""

import ctypes
import sys

SET_DUMPABLE = 4
"""Linux's PR_SET_DUMPABLE (prctl(2))."""


def leave_no_core() -> None:
    """
    Have the kernel write no core dump of this process, which would hold resources.

    The limit is not heeded where dumps are piped to a program, as many systems do it
    (core(5)); so on Linux the process is not dumpable at all.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  (not on every system)

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)
