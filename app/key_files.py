"""
Files of keys: only their owner may read them, and none is ever replaced unnoticed.

A master key file has a line for each version, ``VERSION HEX``; one that was made before
there were versions has the 64 hexadecimal digits alone, which are version 1.
"""

import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from app.domain.errors import ServiceError

KEY_BYTES = 32
FIRST_VERSION = 1
MOST_VERSIONS = 32_767
"""The number of a version stands in two bytes."""

_LINE = re.compile(r"(?:(?P<version>[1-9][0-9]{0,4})\s+)?(?P<key>[0-9A-Fa-f]{64})")

Masters = Mapping[int, bytes]
"""Master keys by version; names are made under the highest."""


class KeyFileError(ServiceError):
    """A file of keys is missing, open to others, or not what it should be."""


def read_masters(path: Path) -> dict[int, bytes]:
    """
    Return the master keys of *path* by version.

    Raises:
        KeyFileError: there is none, others may read it, or a line is no key. No key, no
            start.
    """
    if not path.is_file():
        msg = (
            f"No master key at {path}. For a new hub make one with `catchment key new`;"
            " if this hub has records, put its key back from the copy that you keep"
        )
        raise KeyFileError(msg)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        msg = f"The master key at {path} may be read by others; give it mode 0600"
        raise KeyFileError(msg)
    masters: dict[int, bytes] = {}
    for number, line in enumerate(_lines(path), 1):
        match = _LINE.fullmatch(line)
        version = int(match["version"] or FIRST_VERSION) if match else 0
        if match is None or version in masters or version > MOST_VERSIONS:
            msg = (
                f"The master key at {path}: line {number} is not a version of its own"
                f" and {2 * KEY_BYTES} hexadecimal digits"
            )
            raise KeyFileError(msg)
        masters[version] = bytes.fromhex(match["key"])
    if not masters:
        msg = f"The master key at {path} is not {2 * KEY_BYTES} hexadecimal digits"
        raise KeyFileError(msg)
    return masters


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("ascii")
    except UnicodeDecodeError:
        return [""]
    return [line.strip() for line in text.splitlines() if line.strip()]


def write_master_key(path: Path, *, version: int = FIRST_VERSION) -> None:
    """Write a new master key; refuse to replace one."""
    write_key(path, _text({version: secrets.token_bytes(KEY_BYTES)}))


def add_master(path: Path) -> int:
    """Give a key file a new version; return its number. What is there stays."""
    masters = read_masters(path)
    version = max(masters) + 1
    _replace(path, {**masters, version: secrets.token_bytes(KEY_BYTES)})
    return version


def drop_master(path: Path, version: int) -> None:
    """Take a version out of a key file, where it is there."""
    masters = read_masters(path)
    if masters.pop(version, None) is not None:
        _replace(path, masters)


def write_key(path: Path, text: str) -> None:
    """Write a key that only its owner can read; refuse to replace one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        msg = f"There is a key at {path} already"
        raise KeyFileError(msg) from None
    path.write_text(text)


def _replace(path: Path, masters: Masters) -> None:
    """Put other keys in a file's place at once: a crash leaves the one or the other."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(_text(masters))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _text(masters: Masters) -> str:
    return "".join(f"{n} {key.hex()}\n" for n, key in sorted(masters.items()))
