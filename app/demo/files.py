"""What stands in a folder of FHIR files: resources, Bundles, and what is neither."""

import gzip
import re
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import msgspec
import orjson

from app.demo.deliveries import Json
from app.domain.records import RecordType

NDJSON_SUFFIXES = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
JSON_SUFFIXES = (".json", ".json.gz")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Note(msgspec.Struct, frozen=True):
    """
    What is not sent, and why; never quotes the content.

    ``file`` is relative to the folder; ``line`` counts from 1, None is the whole file.
    """

    file: str
    line: int | None
    reason: str


class _UnsendableError(Exception):
    """The content can't be sent; the argument says why, without quoting it."""


class _UnneededError(Exception):
    """The resource is of a type that a hub does not keep."""


def folder_contents(folder: Path) -> Iterator[Json | Note]:
    """
    Yield the Bundles and kept resources of a folder, and notes on all else.

    Files are read in the order of their paths, NDJSON line by line. A Bundle has
    entries, each an object; a resource outside a Bundle is of a type that a hub keeps.
    """
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        yield from file_contents(path, path.relative_to(folder).as_posix())


def file_contents(path: Path, file: str) -> Iterator[Json | Note]:
    """Yield what is in one file, which notes call *file*."""
    try:
        yield from _contents(path, file)
    except (OSError, EOFError, zlib.error):
        yield Note(file, None, "can't be read to its end")


def _contents(path: Path, file: str) -> Iterator[Json | Note]:
    name = path.name.lower()
    if not name.endswith(NDJSON_SUFFIXES + JSON_SUFFIXES):
        yield Note(file, None, "not a FHIR file by its name")
        return
    unneeded = 0
    with _opened(path) as stream:
        for line, text in _texts(stream, by_line=name.endswith(NDJSON_SUFFIXES)):
            try:
                yield _sendable(text)
            except _UnsendableError as error:
                yield Note(file, line, str(error))
            except _UnneededError:
                unneeded += 1
    if unneeded:
        yield Note(file, None, f"{unneeded} of types that a hub does not keep")


def _opened(path: Path) -> BufferedIOBase:
    if path.suffix.lower() == ".gz":
        return gzip.open(path)
    return path.open("rb")


def _texts(
    stream: BufferedIOBase, *, by_line: bool
) -> Iterator[tuple[int | None, bytes]]:
    """Yield what should be JSON and its line; blank lines are no content."""
    if not by_line:
        yield None, stream.read().removeprefix(BYTE_ORDER_MARK)
        return
    for line, text in enumerate(stream, start=1):
        stripped = text.removeprefix(BYTE_ORDER_MARK).strip()
        if stripped:
            yield line, stripped


def _sendable(text: bytes) -> Json:
    """Return the Bundle or the resource of a type that is kept; refuse all else."""
    resource = _resource(text)
    if resource["resourceType"] == "Bundle":
        return _bundle(resource)
    if not is_kept(resource):
        raise _UnneededError
    if "id" in resource and not _is_fhir_id(resource["id"]):
        msg = "the resource's id is not a FHIR id"
        raise _UnsendableError(msg)
    return resource


def _resource(text: bytes) -> Json:
    try:
        resource = orjson.loads(text)
    except orjson.JSONDecodeError:
        msg = "not JSON"
        raise _UnsendableError(msg) from None
    if not isinstance(resource, dict) or not isinstance(
        resource.get("resourceType"), str
    ):
        msg = "not a FHIR resource"
        raise _UnsendableError(msg)
    return resource


def _bundle(bundle: Json) -> Json:
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        msg = "a Bundle without entries"
        raise _UnsendableError(msg)
    if not all(isinstance(entry, dict) for entry in entries):
        msg = "a Bundle with an entry that is no object"
        raise _UnsendableError(msg)
    return bundle


def is_kept(resource: object) -> bool:
    """Return whether a hub keeps anything of resources of this type."""
    if not isinstance(resource, dict):
        return False
    resource_type = resource.get("resourceType")
    return isinstance(resource_type, str) and RecordType.of(resource_type) is not None


def _is_fhir_id(value: object) -> bool:
    return isinstance(value, str) and FHIR_ID.fullmatch(value) is not None
