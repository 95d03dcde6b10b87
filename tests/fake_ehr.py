"""
An EHR that others can be tested against: SMART, bulk export and search over real HTTP.

Everything it does wrong is asked of it: by its fields, which may be changed at any
time, and by ``says``, which answers the next requests to a path in its place. What it
was asked is kept in ``seen``, tokens and all.
"""

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from typing_extensions import override

Json = dict[str, Any]

BASE_PATH = "/tenants/7/r4"
"""A base with a path, which discovery has to keep."""
NDJSON = "application/fhir+ndjson"
FHIR_JSON = "application/fhir+json"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENDLESS = b'{"resourceType":"Basic"}\n'


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request that came, with the names of its headers in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    raw_query: str = ""

    @property
    def token(self) -> str | None:
        """Return the bearer token that came with it."""
        stated = self.headers.get("authorization", "")
        return stated.removeprefix("Bearer ") if stated else None


@dataclass(kw_only=True)
class Reply:
    """
    An answer; *cut* has it end after so many bytes of its body, *endless* never.

    A cut body is announced in full, so it is seen to break off.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None
    endless: bool = False


def outcome(code: str, *, severity: str = "error", said: str = "") -> Json:
    """Return an OperationOutcome of one issue."""
    issue = {"severity": severity, "code": code}
    if said:
        issue["diagnostics"] = said
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def fhir(body: Json, *, status: int = 200, **headers: str) -> Reply:
    """Return an answer of FHIR; *headers* are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=status,
        headers={"Content-Type": FHIR_JSON} | named,
        body=json.dumps(body).encode(),
    )


def ndjson(lines: list[Json], *, ends: bool = True) -> bytes:
    """Return resources line by line, the last with its newline if it *ends*."""
    text = "\n".join(json.dumps(line) for line in lines)
    return (text + ("\n" if ends and lines else "")).encode()


@dataclass(kw_only=True)
class Export:
    """One export: what was asked, its files by name, and how often it was polled."""

    query: dict[str, list[str]]
    transaction_time: str
    files: dict[str, list[Json]]
    polls: int = 0
    deleted: bool = False


def _as_it_is(manifest: Json) -> Json:
    return manifest


def _whole(_name: str, body: bytes, _time: int) -> bytes:
    return body


@dataclass(kw_only=True)
class FakeEhr:
    """The EHR; *clock* tells epoch milliseconds."""

    clock: Callable[[], int]
    resources: list[Json] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    """Ids of the patients in its one group, ``everyone``."""
    gone: list[str] = field(default_factory=list)
    """What was deleted, as ``Observation/1``."""
    complaints: list[Json] = field(default_factory=list)
    """The lines of its error file."""

    # -- letting in
    client_id: str = "catchment-at-ehr"
    key_set: Json | None = None
    """The client's public keys; without them nobody needs a token."""
    token_seconds: int = 300
    scopes_granted: str | None = None
    has_smart_configuration: bool = True
    has_oauth_uris: bool = True
    has_registration: bool = False

    # -- exporting
    exports_offered: frozenset[str] = frozenset({"group", "patient", "system"})
    post_only: bool = False
    one_at_a_time: bool = False
    polls: int = 0
    """How often an export is not ready yet."""
    retry_after: str | None = None
    progress: str | None = "25%"
    version: str = "2.0.0"
    requires_token: object = True
    lines_a_file: int = 1000
    ignores_type: bool = False
    ignores_since: bool = False
    type_filter_answers: str = "ignored"
    """Or ``refused``, or ``empty``: how it fails at ``_typeFilter``."""
    counts_off_by: int = 0
    gzips: bool = False
    file_host: str | None = None
    """By what other name of this machine files are to be had."""
    files_a_page: int | None = None
    last_line_ends: bool = True
    mends_manifest: Callable[[Json], Json] = _as_it_is
    mends_file: Callable[[str, bytes, int], bytes] = _whole
    """Of a file's name, its lines, and the how-manieth time it is fetched."""

    # -- searching
    page_size: int = 2
    refuses_last_updated: bool = False
    next_host: str | None = None
    """By what other name of this machine further pages are to be had."""

    seen: list[Seen] = field(default_factory=list)
    issued: dict[str, int] = field(default_factory=dict)
    """Tokens, and until when they hold in epoch seconds."""
    exports: dict[str, Export] = field(default_factory=dict)
    jtis: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    """Why assertions were not taken."""
    fetched: dict[str, int] = field(default_factory=dict)
    port: int = 0
    _script: list[tuple[str, re.Pattern[str], list[Reply]]] = field(
        default_factory=list
    )

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    @property
    def fhir_base(self) -> str:
        return f"{self.origin}{BASE_PATH}"

    @property
    def token_url(self) -> str:
        return f"{self.origin}/oauth/token"

    def says(self, method: str, path: str, *replies: Reply) -> None:
        """Answer the next requests to a path (a pattern) by *replies*, one each."""
        self._script.append((method, re.compile(path), list(replies)))

    def asked(self, method: str, path: str) -> list[Seen]:
        """Return the requests to a path (a pattern)."""
        sought = re.compile(path)
        return [s for s in self.seen if s.method == method and sought.search(s.path)]

    def forget_tokens(self) -> None:
        """Let no token hold any more."""
        self.issued.clear()

    # ---------------------------------------------------------------- answering

    def answer(self, seen: Seen) -> Reply:
        """Return what is answered to a request."""
        self.seen.append(seen)
        for method, pattern, replies in self._script:
            if replies and method == seen.method and pattern.search(seen.path):
                return replies.pop(0)
        if seen.path.startswith("/oauth/"):
            return self._authorization(seen)
        path = seen.path.removeprefix(BASE_PATH)
        if path == seen.path:
            return fhir(outcome("not-found"), status=404)
        if path == "/.well-known/smart-configuration":
            return self._smart_configuration()
        if path == "/metadata":
            return fhir(self._capabilities())
        return self._fhir(seen, path)

    def _fhir(self, seen: Seen, path: str) -> Reply:
        file = re.fullmatch(r"/bulk/files/(\d+)/(.+)", path)
        if file is not None:
            needs = str(self.requires_token).lower() == "true"
            if needs and not self._lets_in(seen):
                return fhir(outcome("login"), status=401)
            return self._file(file[1], file[2])
        if not self._lets_in(seen):
            return fhir(outcome("login"), status=401)
        status = re.fullmatch(r"/bulk/status/(\d+)(?:/(\d+))?", path)
        if status is not None:
            return self._status(seen, status[1], int(status[2] or 0))
        if path.endswith("$export"):
            return self._kick_off(seen, path)
        return self._read_or_search(seen, path)

    def _lets_in(self, seen: Seen) -> bool:
        if self.key_set is None:
            return True
        return self.issued.get(seen.token or "", 0) > self.clock() // 1000

    # ------------------------------------------------------------------- tokens

    def _authorization(self, seen: Seen) -> Reply:
        if seen.path == "/oauth/register" and self.has_registration:
            self.key_set = json.loads(seen.body).get("jwks") or self.key_set
            said = json.loads(seen.body) | {"client_id": self.client_id}
            return fhir(said, status=201)
        if seen.path != "/oauth/token":
            return fhir(outcome("not-found"), status=404)
        form = dict(parse_qsl(seen.body.decode()))
        try:
            self._verify(form, seen)
        except (JoseError, ValueError, KeyError) as error:
            self.refusals.append(str(error))
            return fhir({"error": "invalid_client"}, status=400)
        token = f"token-{len(self.issued)}-{len(self.jtis)}"
        self.issued[token] = self.clock() // 1000 + self.token_seconds
        answer = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.token_seconds,
            "scope": self.scopes_granted or form["scope"],
        }
        return fhir(answer)

    def _verify(self, form: dict[str, str], seen: Seen) -> None:
        """Refuse an assertion that is not as SMART has it, or not of the client."""

        def require(holds: object, what: str) -> None:
            if not holds:
                raise ValueError(what)

        require(
            seen.headers.get("content-type", "").startswith(
                "application/x-www-form-urlencoded"
            ),
            "content type",
        )
        require(form["grant_type"] == "client_credentials", "grant type")
        require(form["client_assertion_type"] == ASSERTION_TYPE, "assertion type")
        require(form["scope"], "scope")
        require(self.key_set, "keys")
        keys = KeySet.import_key_set(cast("Any", self.key_set))
        signed = jwt.decode(
            form["client_assertion"], keys, algorithms=["RS384", "ES384"]
        )
        kids = [key.kid for key in keys.keys]
        require(kids.count(signed.header.get("kid")) == 1, "kid")
        require(signed.header.get("typ") == "JWT", "typ")
        claims, now = signed.claims, self.clock() // 1000
        require(claims["iss"] == claims["sub"] == self.client_id, "iss and sub")
        require(claims["aud"] == self.token_url, "aud")
        require(now < claims["exp"] <= now + 300, "exp")
        require(claims["jti"] not in self.jtis, "jti")
        self.jtis.add(claims["jti"])

    def _smart_configuration(self) -> Reply:
        if not self.has_smart_configuration:
            return Reply(status=404)
        said: Json = {
            "token_endpoint": self.token_url,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": ["system/*.read"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
        if self.has_registration:
            said["registration_endpoint"] = f"{self.origin}/oauth/register"
        return fhir(said)

    def _capabilities(self) -> Json:
        operation = [{"name": "export", "definition": "http://hl7.org/x"}]
        rest: Json = {
            "mode": "server",
            "resource": [
                {"type": name.title(), "operation": operation}
                for name in sorted(self.exports_offered & {"group", "patient"})
            ],
        }
        if "system" in self.exports_offered:
            rest["operation"] = operation
        if self.has_oauth_uris:
            rest["security"] = {
                "extension": [
                    {
                        "url": "http://fhir-registry.smarthealthit.org/"
                        "StructureDefinition/oauth-uris",
                        "extension": [{"url": "token", "valueUri": self.token_url}],
                    }
                ]
            }
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "rest": [rest],
        }

    # ------------------------------------------------------------------ exports

    def _kick_off(self, seen: Seen, path: str) -> Reply:
        level = {"/$export": "system", "/Patient/$export": "patient"}.get(path, "group")
        if level not in self.exports_offered:
            return fhir(outcome("not-supported"), status=404)
        if level == "group" and path != "/Group/everyone/$export":
            return fhir(outcome("not-found"), status=404)
        if seen.method == "GET" and self.post_only:
            return Reply(status=405, headers={"Allow": "POST"})
        is_right = (
            seen.headers.get("accept") == FHIR_JSON
            and seen.headers.get("prefer") == "respond-async"
        )
        if not is_right:
            return fhir(outcome("invalid", said="headers"), status=400)
        query = seen.query if seen.method == "GET" else _of_parameters(seen.body)
        if len(query.get("_type", [])) > 1:
            return fhir(outcome("invalid", said="_type repeated"), status=400)
        if "_typeFilter" in query and self.type_filter_answers == "refused":
            return fhir(outcome("not-supported"), status=400)
        is_busy = any(not export.deleted for export in self.exports.values())
        if self.one_at_a_time and is_busy:
            return fhir(outcome("throttled"), status=429, Retry_After="120")
        number = str(len(self.exports) + 1)
        self.exports[number] = self._export(query, level)
        place = f"{self.fhir_base}/bulk/status/{number}"
        return Reply(status=202, headers={"Content-Location": place})

    def _export(self, query: dict[str, list[str]], level: str) -> Export:
        types = query.get("_type", [""])[0].split(",")
        since = query.get("_since", [None])[0]
        held = [
            each
            for each in self.resources
            if (self.ignores_type or each["resourceType"] in types)
            and (level != "group" or _patient_of(each) in self.members)
            and (
                self.ignores_since
                or since is None
                or _instant(each.get("meta", {}).get("lastUpdated")) >= _instant(since)
            )
        ]
        if "_typeFilter" in query and self.type_filter_answers == "empty":
            held = []
        files: dict[str, list[Json]] = {}
        for type_ in sorted({each["resourceType"] for each in held}):
            of_type = [each for each in held if each["resourceType"] == type_]
            for start in range(0, len(of_type), self.lines_a_file):
                name = f"{type_}.{start // self.lines_a_file}.ndjson"
                files[name] = of_type[start : start + self.lines_a_file]
        if self.complaints:
            files["errors.ndjson"] = list(self.complaints)
        if self.gone and since is not None:
            requests = [
                {"request": {"method": "DELETE", "url": reference}}
                for reference in self.gone
            ]
            bundle = {"resourceType": "Bundle", "type": "transaction"}
            files["deleted.ndjson"] = [bundle | {"entry": requests}]
        now = datetime.fromtimestamp(self.clock() / 1000, UTC)
        time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return Export(query=query, transaction_time=time, files=files)

    def _status(self, seen: Seen, number: str, page: int) -> Reply:
        export = self.exports.get(number)
        if export is None or export.deleted:
            return fhir(outcome("not-found"), status=404)
        if seen.method == "DELETE":
            export.deleted = True
            return Reply(status=202)
        export.polls += 1
        if export.polls <= self.polls:
            headers = {}
            if self.progress is not None:
                headers["X-Progress"] = self.progress
            if self.retry_after is not None:
                headers["Retry-After"] = self.retry_after
            return Reply(status=202, headers=headers)
        manifest = self.mends_manifest(self._manifest(number, export, page))
        reply = fhir(manifest)
        reply.headers["Content-Type"] = "application/json"
        return reply

    def _manifest(self, number: str, export: Export, page: int) -> Json:
        host = self.file_host or self.host
        place = f"http://{host}{BASE_PATH}/bulk/files/{number}"

        def told(name: str) -> Json:
            is_plain = name in {"errors.ndjson", "deleted.ndjson"}
            type_ = {"errors.ndjson": "OperationOutcome", "deleted.ndjson": "Bundle"}
            said: Json = {
                "type": type_.get(name, name.partition(".")[0]),
                "url": f"{place}/{name}",
            }
            if not is_plain:
                said["count"] = len(export.files[name]) + self.counts_off_by
            return said

        names = [
            name
            for name in export.files
            if name not in {"errors.ndjson", "deleted.ndjson"}
        ]
        manifest: Json = {"transactionTime": export.transaction_time}
        manifest["requiresAccessToken"] = self.requires_token
        size = self.files_a_page or len(names) or 1
        if size * (page + 1) < len(names):
            link = f"{self.fhir_base}/bulk/status/{number}/{page + 1}"
            manifest["link"] = [{"relation": "next", "url": link}]
        manifest["output"] = [told(name) for name in names[size * page :][:size]]
        is_ballot = self.version.startswith("4")
        if page == 0:
            had = [told("errors.ndjson")] if "errors.ndjson" in export.files else []
            manifest["outcome" if is_ballot else "error"] = had
            if "deleted.ndjson" in export.files:
                manifest["deleted"] = [told("deleted.ndjson")]
        if is_ballot:
            manifest["extension"] = [{"url": "urn:x", "valueBoolean": True}]
        else:
            manifest["request"] = f"{self.fhir_base}/$export"
            manifest["extension"] = {"urn:x": True}
        return manifest

    def _file(self, number: str, name: str) -> Reply:
        export = self.exports.get(number)
        if export is None or export.deleted or name not in export.files:
            return fhir(outcome("not-found"), status=404)
        times = self.fetched[name] = self.fetched.get(name, 0) + 1
        body = ndjson(export.files[name], ends=self.last_line_ends)
        body = self.mends_file(name, body, times)
        headers = {"Content-Type": NDJSON, "Expires": formatdate(usegmt=True)}
        if self.gzips:
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return Reply(headers=headers, body=body)

    # ----------------------------------------------------------------- searches

    def _read_or_search(self, seen: Seen, path: str) -> Reply:
        _, type_, *rest = path.split("/")
        if type_ == "Group" and rest == ["everyone"]:
            member = [
                {"entity": {"reference": f"Patient/{patient}"}}
                for patient in self.members
            ]
            return fhir(
                {
                    "resourceType": "Group",
                    "id": "everyone",
                    "type": "person",
                    "actual": True,
                    "member": member,
                }
            )
        if rest:
            found = [
                each
                for each in self.resources
                if each["resourceType"] == type_ and each.get("id") == unquote(rest[0])
            ]
            if found:
                return fhir(found[0])
            return fhir(outcome("not-found"), status=404)
        return self._search(seen, type_)

    def _search(self, seen: Seen, type_: str) -> Reply:
        query = {name: values[0] for name, values in seen.query.items()}
        if self.refuses_last_updated and "_lastUpdated" in query:
            return fhir(outcome("not-supported"), status=400)
        if type_ != "Patient" and "patient" not in query:
            return fhir(outcome("too-costly"), status=400)
        held = [
            each
            for each in self.resources
            if each["resourceType"] == type_ and self._is_met(each, query)
        ]
        start = int(query.get("page", "0"))
        entries = [{"resource": each} for each in held[start:][: self.page_size]]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        if start + self.page_size < len(held):
            others = "&".join(
                f"{name}={value}" for name, value in query.items() if name != "page"
            )
            host = self.next_host or self.host
            url = f"http://{host}{seen.path}?{others}&page={start + self.page_size}"
            bundle["link"] = [{"relation": "next", "url": url}]
        return fhir(bundle)

    @staticmethod
    def _is_met(resource: Json, query: dict[str, str]) -> bool:
        since = query.get("_lastUpdated", "").removeprefix("ge")
        changed = resource.get("meta", {}).get("lastUpdated")
        return (
            query.get("patient", _patient_of(resource)) == _patient_of(resource)
            and query.get("_id", resource.get("id")) == resource.get("id")
            and (not since or _instant(changed) >= _instant(since))
        )


def _patient_of(resource: Json) -> str | None:
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    reference = resource.get("subject", {}).get("reference", "")
    return str(reference).rpartition("Patient/")[2] or None


def _instant(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "2000-01-01T00:00:00Z")


def _of_parameters(body: bytes) -> dict[str, list[str]]:
    query: dict[str, list[str]] = {}
    for each in json.loads(body)["parameter"]:
        (value,) = (each[name] for name in each if name.startswith("value"))
        query.setdefault(each["name"], []).append(value)
    return query


@contextmanager
def serving(ehr: FakeEhr) -> Iterator[FakeEhr]:
    """Let *ehr* answer on a free port of this machine while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            reply = ehr.answer(
                Seen(
                    method=self.command,
                    path=parts.path,
                    query=parse_qs(parts.query),
                    headers={k.lower(): v for k, v in self.headers.items()},
                    body=self.rfile.read(length),
                    raw_query=parts.query,
                )
            )
            try:
                self._send(reply)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

        def _send(self, reply: Reply) -> None:
            if "Date" in reply.headers:
                self.send_response_only(reply.status)
            else:
                self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.endless:
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                while True:
                    self.wfile.write(ENDLESS * 1000)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        @override
        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    ehr.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ehr
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
