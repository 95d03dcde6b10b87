"""How schemathesis writes bodies that are no JSON document."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer(
    "application/fhir+ndjson", "application/ndjson", "application/x-ndjson"
)
def ndjson(_: Any, value: Any) -> bytes:
    """Return lines, or a text as it is."""
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")
    lines = value if isinstance(value, list) else [value]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
