"""Value sets of others -> files of a library: every code looked at, nothing guessed."""

import csv
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from app.deid.codes import canonical_code, system_of
from app.domain.errors import MalformedError
from app.domain.terminology import NETWORK
from app.measures.checks import Path
from app.measures.definitions import SYSTEMS
from app.measures.documents import Document, Fault
from app.measures.libraries import FaultyDefinitionError
from app.measures.misfits import misfits
from app.measures.value_sets import (
    WITH_FAMILIES,
    Filter,
    ValueSet,
    problems_of,
    url_of,
)

_KEPT = ("date", "publisher", "description", "purpose", "copyright", "experimental")
_BY_NAME = {**SYSTEMS, **{system: system for system in SYSTEMS.values()}}
_EXPAND = "import an expansion of it ($expand), which lists the codes"


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says of a set, in place of what its file says."""

    id: str | None = None
    version: str | None = None
    title: str | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A code, or a family by its ``prefix``, on a line of a file."""

    line: int
    system: str | None
    code: str
    display: str | None = None
    is_family: bool = False


def from_fhir(text: str, *, origin: str, stated: Stated) -> ValueSet:
    """
    Return a FHIR ValueSet as a file of ours; its expansion counts where it has one.

    Raises:
        MalformedError: it is no JSON, or no ValueSet.
        FaultyDefinitionError: something in it could not be counted as it is meant.
    """
    try:
        resource = json.loads(text)
    except ValueError:
        msg = f"{origin}: this is no JSON"
        raise MalformedError(msg) from None
    if not isinstance(resource, dict) or resource.get("resourceType") != "ValueSet":
        msg = f"{origin}: this is no FHIR ValueSet"
        raise MalformedError(msg)
    document = Document(text, origin=origin)
    faults: list[Fault] = []
    if "expansion" in resource:
        included = list(_of_expansion(resource["expansion"], document, faults))
        excluded: list[Member] = []
    else:
        compose = _object(resource.get("compose"))
        included = list(_of_compose(compose, "include", document, faults))
        excluded = list(_of_compose(compose, "exclude", document, faults))
    about = {name: resource[name] for name in _KEPT if name in resource}
    about |= {
        "id": stated.id or resource.get("id"),
        "url": resource.get("url"),
        "version": stated.version or resource.get("version"),
        "name": resource.get("name"),
        "title": stated.title or resource.get("title") or resource.get("name"),
        "status": resource.get("status", "unknown"),
    }
    return _made(about, included, excluded, document=document, faults=faults)


def from_csv(text: str, *, origin: str, stated: Stated) -> ValueSet:
    """
    Return a table of codes as a file of ours: columns system, code and maybe display.

    Raises:
        MalformedError: a column is missing.
        FaultyDefinitionError: a code or system is wrong, or the set has no name.
    """
    rows = csv.DictReader(text.lstrip("\ufeff").splitlines())
    if not {"system", "code"} <= set(rows.fieldnames or ()):
        msg = f"{origin}: the first line names the columns: system,code,display"
        raise MalformedError(msg)
    included = [
        Member(
            line=rows.line_num,
            system=(row["system"] or "").strip(),
            code=(row["code"] or "").strip(),
            display=(row.get("display") or "").strip() or None,
        )
        for row in rows
    ]
    about = {
        "id": stated.id,
        "version": stated.version,
        "title": stated.title,
        "status": "active",
    }
    document = Document("{}", origin=origin)
    return _made(about, included, [], document=document, faults=[])


def _made(
    about: dict[str, Any],
    included: list[Member],
    excluded: list[Member],
    *,
    document: Document,
    faults: list[Fault],
) -> ValueSet:
    """Return the set, or raise all that is wrong with it."""
    resource = {"resourceType": "ValueSet", **about, "compose": {}}
    resource["name"] = about.get("name") or _computable(about.get("id"))
    resource["url"] = about.get("url") or url_of(about.get("id") or "")
    compose = {"include": included, "exclude": excluded}
    for word, members in compose.items():
        checked = [_checked(member, document.origin, faults) for member in members]
        resource["compose"][word] = _parts([each for each in checked if each])
    if not included:
        faults.append(document.fault((), "it has no code"))
    said = {name: value for name, value in resource.items() if value is not None}
    for path, message in misfits(said, ValueSet):
        option: dict[Path, str] = {
            ("id",): "; say one with --id",
            ("version",): "; or --version",
        }
        if path[:1] != ("compose",):
            faults.append(document.fault(path, message + option.get(path, "")))
    if faults:
        raise FaultyDefinitionError(sorted(faults, key=lambda fault: fault.line))
    made = msgspec.convert(said, ValueSet)
    assert not list(problems_of(made))
    return made


def _of_expansion(
    expansion: Any,  # noqa: ANN401  (JSON)
    document: Document,
    faults: list[Fault],
) -> Iterator[Member]:
    """Yield the codes that a server found, nested ones too."""
    expansion = _object(expansion)
    found = list(_contained(expansion, ("expansion",)))
    total = expansion.get("total")
    if isinstance(total, int) and total > len(found):
        message = f"these are {len(found)} of {total} codes: ask for all of them"
        faults.append(document.fault(("expansion", "total"), message))
    for path, entry in found:
        if not entry.get("abstract"):
            yield _member(entry, entry.get("system"), document.line(path))


def _contained(
    node: dict[str, Any], path: Path
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the entries below a node of an expansion, each with where it stands."""
    for index, entry in enumerate(node.get("contains", ())):
        where = (*path, "contains", index)
        if "code" in entry:
            yield (*where, "code"), entry
        yield from _contained(entry, where)


def _of_compose(
    compose: dict[str, Any], word: str, document: Document, faults: list[Fault]
) -> Iterator[Member]:
    """Yield the codes and families that a definition lists."""
    for index, part in enumerate(compose.get(word, ())):
        path: Path = ("compose", word, index)
        if "valueSet" in part:
            message = f"it speaks of another value set: {_EXPAND}"
            faults.append(document.fault((*path, "valueSet"), message))
        elif not part.get("concept") and not part.get("filter"):
            faults.append(document.fault(path, f"it takes a whole system: {_EXPAND}"))
        for number, entry in enumerate(part.get("concept", ())):
            line = document.line((*path, "concept", number, "code"))
            yield _member(entry, part.get("system"), line)
        prefixes = [
            _prefix(each, part.get("system")) for each in part.get("filter", ())
        ]
        if len(prefixes) > 1 or None in prefixes:
            message = (
                f"only a filter of the first letters of ICD codes is read: {_EXPAND}"
            )
            faults.append(document.fault((*path, "filter"), message))
        else:
            line = document.line((*path, "filter"))
            for prefix in prefixes:
                yield Member(
                    line=line,
                    system=part.get("system"),
                    code=f"{prefix}",
                    is_family=True,
                )


def _prefix(stated: dict[str, Any], system: str | None) -> str | None:
    """
    Return what the codes of a filter begin with, or None where that is not the rule.

    Below a category of ICD are the codes that begin with it, so ``is-a`` is a family.
    """
    value = str(stated.get("value", ""))
    kind = (stated.get("property"), stated.get("op"))
    if system_of(system) not in WITH_FAMILIES:
        return None
    if kind == ("concept", "is-a"):
        return value
    return Filter(value=value).prefix if kind == ("code", "regex") else None


def _member(entry: dict[str, Any], system: str | None, line: int) -> Member:
    return Member(
        line=line,
        system=system,
        code=str(entry.get("code", "")),
        display=entry.get("display"),
    )


def _checked(member: Member, origin: str, faults: list[Fault]) -> Member | None:
    """Return a member in canonical form, or None and one more fault."""
    system = _BY_NAME.get(system_of(member.system) or "")
    if system is None:
        message = f"unknown code system; known are {', '.join(SYSTEMS)}"
        faults.append(Fault(origin=origin, line=member.line, message=message))
        return None
    code = member.code if system == NETWORK else canonical_code(system, member.code)
    if not code:
        message = f"`{member.code}` is no code of {system}: correct it, or leave it out"
        faults.append(Fault(origin=origin, line=member.line, message=message))
        return None
    return msgspec.structs.replace(member, system=system, code=code)


def _parts(members: list[Member]) -> list[dict[str, Any]]:
    """Return members as parts of a compose: listed codes first, system by system."""
    parts: list[dict[str, Any]] = []
    for system in dict.fromkeys(member.system for member in members):
        mine = [member for member in members if member.system == system]
        listed = {
            each.code: {"code": each.code}
            | ({} if each.display is None else {"display": each.display})
            for each in mine
            if not each.is_family
        }
        if listed:
            parts.append({"system": system, "concept": list(listed.values())})
        for prefix in dict.fromkeys(each.code for each in mine if each.is_family):
            filter_ = msgspec.to_builtins(Filter.of(prefix))
            parts.append({"system": system, "filter": [filter_]})
    return parts


def _computable(name: str | None) -> str | None:
    """Return a name as FHIR wants it for programs: JuvenileArthritis."""
    return name and "".join(word.capitalize() for word in name.split("-"))


def _object(stated: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
    return stated if isinstance(stated, dict) else {}
