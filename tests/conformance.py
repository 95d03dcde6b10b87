"""
The rows of the standards that the doors are held to, and the table of what shows them.

A test says which row it shows, ``@pytest.mark.conforms("A7")``, and where it changes
one thing that must be refused, which: ``@pytest.mark.conforms("A7", mutation="...")``.
``make conformance`` runs them and writes ``docs/conformance.md``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parent.parent / "docs" / "conformance.md"
INTRODUCTION = """\
# Conformance

What the authorization server (A), the FHIR interface (R) and the collection from EHRs
(P) are held to, row by row, and the tests that show it. Each row has tests of what
must work, and tests in which one thing is changed and the request is refused for that
reason alone. Where this hub departs from a row on purpose, the row says so and why.

Sources: SMART App Launch 2.2.0 (Backend Services; Client Authentication: Asymmetric;
Scopes; Conformance; Token Introspection), RFC 6749, 6750, 7009, 7517, 7523, 7591, 7662;
HL7 FHIR R4, RESTful API; HL7 Bulk Data Access 1.0.1 to 4.0.0-ballot.

`make conformance` runs the tests named here and writes this page.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One requirement; ``departure`` says where and why this hub differs from it.

    ``refuses`` is False where nothing that breaks it could be sent.
    """

    name: str
    text: str
    departure: str = ""
    refuses: bool = True


@dataclass(frozen=True, slots=True, order=True)
class Shown:
    """What one test says it shows: a row to hold, or one mutation to be refused."""

    row: str
    mutation: str
    test: str


ROWS = (
    Row(
        name="A1",
        text="The token endpoint takes `application/x-www-form-urlencoded` only.",
    ),
    Row(name="A2", text="`grant_type` is `client_credentials`."),
    Row(name="A3", text="`client_assertion_type` is the JWT bearer's URN."),
    Row(
        name="A4",
        text="`scope` is required, in SMART's syntax.",
        departure="An operator may register a client that asks for none "
        "(`--scope-optional`); it is granted all that it may have. `@medplum/core` is "
        "such a client.",
    ),
    Row(
        name="A5",
        text="The assertion's header: `alg` RS384 or ES384, in keeping with the key; "
        "`kid`; `typ` is `JWT`.",
    ),
    Row(name="A6", text="`iss` and `sub` are the registered `client_id`."),
    Row(
        name="A7",
        text="`aud` is the token endpoint's URL as it is posted to, or a list with it.",
    ),
    Row(
        name="A8",
        text="`exp` is an integer, not past and at most 300 seconds ahead.",
    ),
    Row(name="A9", text="`jti` is used once by a client, in any process of the hub."),
    Row(
        name="A10",
        text="`jku` is the registered key set's URL; no other is ever fetched.",
    ),
    Row(name="A11", text="Without `jku` the registered key set, by URL or inline."),
    Row(name="A12", text="Exactly one key has the assertion's `kid` and fits `alg`."),
    Row(
        name="A13",
        text="A fetched key set is kept no longer than its Cache-Control says; an "
        "unknown `kid` causes one bounded look at most.",
    ),
    Row(
        name="A14",
        text="Clients register public keys, by URL or inline; private or symmetric "
        "keys are refused.",
    ),
    Row(
        name="A15",
        text="Failed authentication is `invalid_client`; other errors as RFC 6749 "
        "names them.",
    ),
    Row(
        name="A16",
        text="What is granted is what is both asked for and allowed; unknown scopes "
        "are ignored; nothing left is `invalid_scope`.",
    ),
    Row(
        name="A17",
        text="The answer: `access_token`, `token_type`, `expires_in` at most 300, "
        "`scope`; never cached; no refresh token.",
    ),
    Row(
        name="A18",
        text="The FHIR interface checks expiry, revocation and scope: 401 "
        "`invalid_token`, 403 `insufficient_scope`, with an OperationOutcome.",
    ),
    Row(name="A19", text="Each entry of a Bundle needs its own scope."),
    Row(name="A20", text="TLS on all exchanges; http on this machine only."),
    Row(name="A21", text="An access token that is a JWT holds its `client_id`."),
    Row(
        name="R1",
        text="Create: 201 with Location, ETag, Last-Modified; the hub sets `meta`.",
        departure="A body's `id` counts as the sender's own id for every verb, where "
        "FHIR lets a server ignore it on POST: the same resource by POST, PUT, Bundle "
        "and NDJSON is one record. Its `meta.lastUpdated` orders versions, so that an "
        "older one never overwrites a newer.",
    ),
    Row(
        name="R2",
        text="Refusals: 400 for what is not FHIR, 422 for what a rule forbids, 404 for "
        "a type that is not kept, 415, 406; an OperationOutcome with the expression.",
        departure="Inside a Bundle a type that is not kept is acknowledged and "
        "discarded, so that a whole EHR Bundle goes through.",
    ),
    Row(
        name="R3",
        text="Update: 200; update-as-create: 201; the ids of URL and body agree.",
    ),
    Row(name="R4", text="Conditional create: none 201, one 200, several 412."),
    Row(
        name="R5",
        text="Conditional update: none creates, one updates unless the body has "
        "another id, several 412.",
        departure="With no match, a body's id that exists already updates that record, "
        "as R4 reads; R5 would say 409.",
    ),
    Row(
        name="R6",
        text="A condition that is not supported is refused, never ignored.",
        departure="Conditions are `identifier=system|value` alone: all else is "
        "known here only by its keyed digest or not at all.",
    ),
    Row(name="R7", text="If-Match: another version is 412."),
    Row(name="R8", text="If-None-Match: `*` creates only, else 412."),
    Row(name="R9", text="Prefer: minimal, representation, OperationOutcome."),
    Row(
        name="R10",
        text="Batch: each entry on its own, answered in its order.",
        departure="Entries may refer to each other, since real EHRs' do. No GET.",
    ),
    Row(
        name="R11",
        text="Transaction: all or nothing, whatever the order of entries; references "
        "between entries are resolved, circular ones too; one OperationOutcome.",
        departure="No GET and no PATCH entries: there is no search, and a patch would "
        "need the identified original. Two entries of equal content, without a name to "
        "tell them apart, are one record.",
    ),
    Row(
        name="R12",
        text="Conditional references are resolved by identifier.",
        departure="One that finds nothing makes a placeholder instead of failing the "
        "transaction: results reach a registry before the patients they are about.",
    ),
    Row(
        name="R13",
        text="The CapabilityStatement says what is true, openly, with an ETag.",
    ),
    Row(
        name="R14",
        text="JSON under its usual names; `_format` goes before Accept; XML is 406 and "
        "415.",
    ),
    Row(name="R15", text="A trailing slash makes no difference.", refuses=False),
    Row(
        name="R16",
        text="Delete: 204, the second time too; later reads 410.",
        departure="What was never there is 204 too: the state asked for is there. No "
        "version that was replaced can be read.",
    ),
    Row(name="R17", text="Limits of size and of entries are told: 413."),
    Row(
        name="R18",
        text="Sent again it changes nothing; of identical conditional creates at once "
        "one creates.",
        refuses=False,
    ),
    Row(
        name="R19",
        text="Too many requests: 429 with Retry-After; in a batch the entry says it "
        "and the answer as a whole.",
    ),
    Row(
        name="R20",
        text="A change of status reaches the measures.",
    ),
    Row(
        name="P1",
        text="Discovery: `.well-known/smart-configuration` under the FHIR base, path "
        "and all; else the configured token URL; else the CapabilityStatement.",
    ),
    Row(
        name="P2",
        text="The hub's assertions: ES384, `kid`, `typ`, `iss` = `sub`, `aud` the "
        "token endpoint, `exp` at most 300 seconds ahead, a fresh `jti` each time.",
    ),
    Row(
        name="P3",
        text="Kick-off of Group, Patient and system exports; `_type` in one, `_since` "
        "an instant, `_typeFilter` in several, each filter encoded; what the server "
        "did not filter is filtered here.",
    ),
    Row(
        name="P4",
        text="202 with Content-Location; refusals are told; 429 with Retry-After is "
        "waited for.",
    ),
    Row(
        name="P5",
        text="Polling: back-off, Retry-After in both forms, capped; jobs of days; "
        "X-Progress; resumed after a restart; a token renewed on 401.",
    ),
    Row(
        name="P6",
        text="A 5xx whose OperationOutcome says transient is tried again, another "
        "fails the job.",
    ),
    Row(
        name="P7",
        text="Manifests from 1.0.1 to 4.0.0-ballot.",
    ),
    Row(
        name="P8",
        text="The next `_since` is the manifest's `transactionTime`, kept once every "
        "file is loaded.",
    ),
    Row(
        name="P9",
        text="Files: a token where it is required and nowhere else, gzip, streams, "
        "several of a type, counts compared, lines on their own.",
    ),
    Row(
        name="P10",
        text="A file or status that is gone (404, 410): asked for anew.",
    ),
    Row(
        name="P11",
        text="Files of errors are read and shown; what came is kept.",
    ),
    Row(name="P12", text="`deleted` Bundles withdraw what they name."),
    Row(name="P13", text="The status URL is deleted when all is done."),
    Row(name="P14", text="No token goes to another origin."),
    Row(
        name="P15",
        text="Hosts of a list only, at public addresses, by TLS, within limits of "
        "size and time.",
    ),
)


def shown_by(item: pytest.Item) -> list[Shown]:
    """Return what a collected test says it shows."""
    test = item.nodeid.partition("[")[0]
    return [
        Shown(mark.args[0], mark.kwargs.get("mutation", ""), test)
        for mark in item.iter_markers("conforms")
    ]


class Conformance:
    """Gathers the results of the tests that show a row, and writes the table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown: dict[str, list[Shown]] = {}
        self._results: dict[Shown, set[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that show something."""
        items[:] = [item for item in items if shown_by(item)]
        self._shown = {item.nodeid: shown_by(item) for item in items}
        for shown in self._shown.values():
            self._results |= {each: set() for each in shown}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what became of a test."""
        if report.when == "call" or report.outcome != "passed":
            for shown in self._shown[report.nodeid]:
                self._results[shown].add(report.outcome)

    def pytest_sessionfinish(self) -> None:
        """Write the table."""
        results = {
            shown: ", ".join(sorted(outcomes)) or "not run"
            for shown, outcomes in self._results.items()
        }
        self._path.write_text(document(results))


def document(results: Mapping[Shown, str]) -> str:
    """Return the page: a summary of the rows, then each row's tests."""
    parts = [INTRODUCTION, _summary(results)]
    parts += [_section(row, results) for row in ROWS]
    return "\n".join(parts)


def _summary(results: Mapping[Shown, str]) -> str:
    lines = [
        "| row | requirement | holds | refused | result |",
        "|---|---|--:|--:|---|",
    ]
    for row in ROWS:
        mine = {s: result for s, result in results.items() if s.row == row.name}
        refused = sum(bool(shown.mutation) for shown in mine)
        departs = " *Departs: see below.*" if row.departure else ""
        lines.append(
            f"| [{row.name}](#{row.name.lower()}) | {row.text}{departs} "
            f"| {len(mine) - refused} | {refused} | {_together(mine.values())} |"
        )
    return "\n".join(lines) + "\n"


def _section(row: Row, results: Mapping[Shown, str]) -> str:
    lines = [f"## {row.name}\n", f"{row.text}\n"]
    if row.departure:
        lines.append(f"Departs: {row.departure}\n")
    lines += ["| refused is | test | result |", "|---|---|---|"]
    for shown in sorted(s for s in results if s.row == row.name):
        file, _, name = shown.test.partition("::")
        link = f"[{name}](../{file})"
        lines.append(f"| {shown.mutation or '(holds)'} | {link} | {results[shown]} |")
    return "\n".join(lines) + "\n"


def _together(results: Iterable[str]) -> str:
    return ", ".join(sorted(set(results))) or "not shown"
