"""The keyed names of a resource that is refused, whatever its form."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.deid.pseudonyms import KeyRing, id_aliases, identifier_aliases
from app.domain.clinics import Source
from app.domain.records import Alias, RecordType
from app.fhir.references import record_id_of

_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")


def own_names(
    resource: Mapping[str, Any], keys: KeyRing, source: Source
) -> Iterator[Alias]:
    """Yield the current names of a resource that may be of any form."""
    type_ = RecordType.of(str(resource.get("resourceType")))
    if type_ is None:
        return
    own_id = resource.get("id")
    if isinstance(own_id, str) and _ID.fullmatch(own_id) and not record_id_of(own_id):
        yield id_aliases(type_, own_id, keys=keys, source=source)[0]
    identifiers = resource.get("identifier")
    for each in identifiers if isinstance(identifiers, list) else ():
        system, value = (
            (each.get("system"), each.get("value"))
            if isinstance(each, dict)
            else (0, 0)
        )
        if (
            isinstance(system, str)
            and isinstance(value, str)
            and system in source.identifier_systems
        ):
            yield identifier_aliases(type_, system, value, keys=keys, source=source)[0]
