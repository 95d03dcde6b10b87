"""
What was asked for, held against what came: servers ignore filters, and types too.

A filter is applied here as far as it names listed codes; what else it says, and codes
of the clinic's own, only the server can tell.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from app.deid.codes import canonical_code, system_of
from app.domain.clinics import Source
from app.domain.deliveries import LineOutcome, ReadLine, ReadLines
from app.domain.errors import IssueType, Severity
from app.domain.records import Condition, Observation, RecordType
from app.domain.terminology import Coding
from app.services.bulk.deliveries import store_lines
from app.services.hub import Hub
from app.store.connections import Connection
from app.store.job_outcomes import add_counts, add_remark
from app.store.sessions import WriteSession

Codes = frozenset[Coding]

LEFT_OUT = "Not of the types and codes that are collected"


class LocalFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The types that are wanted, and of which of them only some codes."""

    types: frozenset[RecordType]
    codes: Mapping[RecordType, Codes]

    @classmethod
    def of(cls, connection: Connection) -> "LocalFilter":
        """Return what a connection's types and filters come to here."""
        wanted: dict[RecordType, Codes | None] = {}
        for each in connection.type_filters:
            type_name, _, query = each.partition("?")
            type_ = RecordType.of(type_name)
            assert type_ is not None
            before, now = wanted.get(type_, frozenset()), _codes(query)
            wanted[type_] = None if before is None or now is None else before | now
        return cls(
            types=frozenset(t for t in map(RecordType.of, connection.types) if t),
            codes={type_: codes for type_, codes in wanted.items() if codes},
        )

    def kept(self, read: ReadLines) -> tuple[ReadLines, Counter[str]]:
        """Return the lines that are wanted, and how many of each type are not."""
        left_out: Counter[str] = Counter()
        records: list[ReadLine] = []
        for each in read.records:
            if self._wants(each):
                records.append(each)
            else:
                left_out[each.record.type.fhir_name] += 1
        if not left_out:
            return read, left_out
        return msgspec.structs.replace(read, records=tuple(records)), left_out

    def _wants(self, read: ReadLine) -> bool:
        record = read.record
        if record.type not in self.types:
            return False
        codes, content = self.codes.get(record.type), record.content
        if codes is None or not isinstance(content, Observation | Condition):
            return True
        return not codes.isdisjoint(content.code)


def ordered(read: ReadLines, *, order: int) -> ReadLines:
    """Return lines that are as of *order* (epoch ms) where they say no time."""
    return msgspec.structs.replace(
        read, records=tuple(_ordered(each, order) for each in read.records)
    )


def _ordered(read: ReadLine, order: int) -> ReadLine:
    if read.record.sent_order is not None:
        return read
    stamped: Any = msgspec.structs.replace(read.record, sent_order=order)
    return ReadLine(read.line, stamped)


def store_wanted(
    session: WriteSession,
    hub: Hub,
    source: Source,
    connection: Connection,
    read: ReadLines,
    *,
    order: int,
    job_id: int,
    part: int,
    notes_records: bool = False,
) -> ReadLines:
    """
    Store what was read and is wanted, and return it; see ``deliveries.store_lines``.

    Where lines say no time they are as of *order* (epoch ms; 0: not known).
    """
    wanted, left_out = LocalFilter.of(connection).kept(read)
    if order:
        wanted = ordered(wanted, order=order)
    store_lines(
        session,
        hub,
        source,
        wanted,
        job_id=job_id,
        part=part,
        notes_records=notes_records,
    )
    if left_out:
        outcome = LineOutcome.DISCARDED.value
        counts = {(type_name, outcome): n for type_name, n in left_out.items()}
        add_counts(session, job_id, counts, part=part)
        add_remark(
            session,
            job_id,
            Severity.INFORMATION,
            IssueType.NOT_SUPPORTED,
            LEFT_OUT,
            part=part,
            count=left_out.total(),
        )
    return wanted


def _codes(query: str) -> Codes | None:
    """Return the codes that a filter names; None where it does not, or not listed."""
    stated = [value for name, value in parse_qsl(query) if name == "code"]
    if len(stated) != 1:
        return None
    codings = [_coding(token) for token in stated[0].split(",")]
    listed = frozenset(coding for coding in codings if coding is not None)
    return listed if len(listed) == len(set(codings)) else None


def _coding(token: str) -> Coding | None:
    system, bar, code = token.partition("|")
    known = system_of(system) if bar else None
    canonical = canonical_code(known, code) if known else None
    return Coding(known, canonical) if known and canonical else None
