"""What a submitter serves: files at URLs, over real HTTP, with faults on request."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.fake_ehr import FakeEhr, Reply, Seen, serving

Json = dict[str, Any]

NDJSON = "application/fhir+ndjson"


class FileServer:
    """A server whose every path a test decides about; others are 404."""

    def __init__(self, ehr: FakeEhr) -> None:
        self.ehr = ehr
        self.replies: dict[str, Reply | list[Reply]] = {}
        self.seen: list[Seen] = ehr.seen
        self._usual = ehr.answer
        ehr.answer = self._answer  # type: ignore[method-assign]

    @property
    def base(self) -> str:
        """Return the URL that paths are behind."""
        return self.ehr.origin

    def url(self, path: str) -> str:
        return f"{self.base}{path}"

    def asked(self, path: str) -> list[Seen]:
        """Return the requests to a path."""
        return [seen for seen in self.seen if seen.path == path]

    def _answer(self, seen: Seen) -> Reply:
        reply = self.replies.get(seen.path)
        if reply is None:
            return self._usual(seen)
        self.seen.append(seen)
        if isinstance(reply, list):
            return reply.pop(0) if len(reply) > 1 else reply[0]
        return reply

    def serve(self, path: str, *resources: Json | str, **reply: Any) -> str:
        """Serve resources, or texts, as NDJSON; return the URL."""
        texts = (r if isinstance(r, str) else json.dumps(r) for r in resources)
        body = "".join(f"{text}\n" for text in texts).encode()
        self.replies[path] = Reply(body=body, headers={"Content-Type": NDJSON}, **reply)
        return self.url(path)

    def manifest(self, path: str, *files: Json | str, **elements: Any) -> str:
        """Serve a manifest of files, which are URLs or entries; return its URL."""
        output = [
            {"type": "Observation", "url": f} if isinstance(f, str) else f
            for f in files
        ]
        said: Json = {
            "transactionTime": "2026-01-01T00:00:00Z",
            "requiresAccessToken": False,
            "output": output,
        } | elements
        self.replies[path] = Reply(
            body=json.dumps(said).encode(),
            headers={"Content-Type": "application/json"},
        )
        return self.url(path)


@contextmanager
def serving_files(ehr: FakeEhr) -> Iterator[FileServer]:
    """Serve files on a free port of this machine while the block runs."""
    with serving(ehr) as served:
        yield FileServer(served)
