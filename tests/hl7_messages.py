"""HL7 v2 messages as laboratories send them, made or written by hand."""

from app.hl7v2.dialects import Dialect
from app.hl7v2.results import Converted, convert_bytes

MRN_OID = "1.2.36.146.595.217.0.1"
"""Of the record numbers that every test's clinic declares as unique."""
NEW_YORK = Dialect(time_zone="America/New_York")


def segment(name: str, **fields: str) -> str:
    """Return a segment; ``f5="x"`` is its fifth field."""
    stated = {int(field[1:]): text for field, text in fields.items()}
    last = max(stated, default=0)
    return "|".join([name, *(stated.get(n, "") for n in range(1, last + 1))])


def header(control_id: str = "MSG1", **fields: str) -> str:
    """Return an MSH of 2.5.1; ``f7="x"`` replaces its seventh field."""
    stated = {
        "f3": "LAB",
        "f4": "ALPHA",
        "f7": "20240301093000-0500",
        "f9": "ORU^R01^ORU_R01",
        "f10": control_id,
        "f11": "P",
        "f12": "2.5.1",
    } | fields
    # MSH-1 is the separator itself, so what is written first is MSH-2.
    moved = {f"f{int(field[1:]) - 1}": text for field, text in stated.items()}
    return segment("MSH", f1=r"^~\&", **moved)


def pid(mrn: str = "M1", **fields: str) -> str:
    return segment("PID", **({"f3": f"{mrn}^^^ALPHA&{MRN_OID}&ISO^MR"} | fields))


def obr(filler: str = "F1", **fields: str) -> str:
    stated = {"f3": filler, "f4": "24323-8^CMP^LN", "f7": "20240301080000-0500"}
    return segment("OBR", **(stated | fields))


def obx(value: str = "7.1", **fields: str) -> str:
    """Return an HbA1c in per cent, final."""
    stated = {
        "f2": "NM",
        "f3": "4548-4^HbA1c^LN",
        "f5": value,
        "f6": "%^percent^UCUM",
        "f11": "F",
    }
    return segment("OBX", **(stated | fields))


def message(*segments: str, end: str = "\r") -> bytes:
    return "".join(f"{each}{end}" for each in segments).encode()


def oru(*results: str, control_id: str = "MSG1", **header_fields: str) -> bytes:
    """Return the results of one order of one patient."""
    return message(header(control_id, **header_fields), pid(), obr(), *results)


def converted(body: bytes, dialect: Dialect = NEW_YORK) -> Converted:
    return convert_bytes(body, dialect=dialect)


def observations(body: bytes, dialect: Dialect = NEW_YORK) -> list[dict]:
    """Return the Observations of a message."""
    said = converted(body, dialect).resources
    return [each for each in said if each["resourceType"] == "Observation"]


def problems(body: bytes, dialect: Dialect = NEW_YORK) -> list[str]:
    """Return what is wrong with a message, in words."""
    return [str(each) for each in converted(body, dialect).problems]
