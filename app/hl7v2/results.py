"""
ORU^R01 -> FHIR R4 Observations, with the Patient and Encounter that they say.

Source: HL7 Version 2 to FHIR Implementation Guide 1.0.0 (STU 1), segment maps
OBX to Observation, OBR, PID to Patient, PV1 to Encounter, and their table maps; of them
what the hub keeps. docs/hl7v2.md says what differs.
"""

from typing import Any

import msgspec
from typing_extensions import override

from app.domain.errors import (
    BusinessRuleError,
    InvalidCodeError,
    MissingElementError,
    NotSupportedError,
    ServiceError,
)
from app.hl7v2.codes import OBSERVATION_STATUS, REPORT_STATUS, codings_of
from app.hl7v2.dialects import Dialect
from app.hl7v2.identifiers import patient_identifiers, stable_id, whole
from app.hl7v2.messages import Message, Segment, parse_message
from app.hl7v2.patients import encounter_of, patient_of
from app.hl7v2.problems import Problem, left_out, refused
from app.hl7v2.timestamps import date_time_of, instant_of
from app.hl7v2.values import TEXTS, VALUE, VALUE_TYPE, value_of

Json = dict[str, Any]

ORDER = ("Patient", "Encounter", "Observation")
"""A reference leads to what comes before it."""
FACILITY, SENT, MESSAGE_TYPE, PROCESSING = 4, 7, 9, 11
PLACER, FILLER = 2, 3
"""The numbers of an order, in ORC as in OBR."""
OBSERVED, SERVICE, REPORT = 7, 4, 25
CODE, SUB_ID, STATUS, OBSERVED_AT, INSTANCE = 3, 4, 11, 14, 21
NO_RESULT = frozenset({"N", "O"})
"""OBX-11: not asked, order detail; neither is a result."""
NOTHING_KEPT = frozenset({"entered-in-error", "cancelled"})
NEEDING_A_NAME = frozenset({"entered-in-error", "corrected", "amended"})


class Statement(msgspec.Struct, frozen=True):
    """What one segment says as FHIR, and which segment it is."""

    place: str
    resource: Json

    @override
    def __repr__(self) -> str:
        """Tell nothing of a patient's."""
        return f"Statement({self.place})"


class Converted(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says, in the order of references; and what is wrong with it."""

    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def resources(self) -> tuple[Json, ...]:
        """Return what it says as FHIR."""
        return tuple(each.resource for each in self.statements)

    @property
    def is_whole(self) -> bool:
        """Return whether nothing was refused."""
        return not any(problem.is_refusal for problem in self.problems)


def convert_bytes(body: bytes, *, dialect: Dialect) -> Converted:
    """Return what the message in *body* says; a message that is none is refused."""
    try:
        message = parse_message(body)
    except ServiceError as error:
        return Converted(problems=(refused(error),))
    return convert(message, dialect=dialect)


def convert(message: Message, *, dialect: Dialect) -> Converted:
    """
    Return what *message* says as FHIR.

    A result that can't be read is refused by itself, and the others go on. The same
    message gives the same resources, and a later one about the same result the same
    id: so a correction replaces what it corrects, and a repetition counts once.
    """
    try:
        check_type(message.header)
    except ServiceError as error:
        return Converted(problems=(refused(error),))
    reading = _Reading(message, dialect)
    for segment in message.segments[1:]:
        reading.take(segment)
    return reading.converted()


def check_type(header: Segment) -> None:
    """
    Refuse what is not unsolicited results.

    Raises:
        NotSupportedError: the message is of another type or event.
    """
    kind, event = header.text(MESSAGE_TYPE, 1), header.text(MESSAGE_TYPE, 2)
    if kind != "ORU":
        msg = "Only results are taken: ORU^R01"
        raise NotSupportedError(msg, expression="MSH-9.1")
    if event not in {"R01", ""}:
        msg = "Of results only the event R01 is taken"
        raise NotSupportedError(msg, expression="MSH-9.2")


def is_production(message: Message) -> bool:
    """Return whether a message is no training or debugging (HL7 table 0103)."""
    return message.header.text(PROCESSING).upper() in {"P", ""}


class _Reading:
    """One message on its way through: whose results come now, and of which order."""

    def __init__(self, message: Message, dialect: Dialect) -> None:
        header = message.header
        self._dialect = dialect
        self._facility = header.text(FACILITY)
        sent = instant_of(header.first(SENT), time_zone=dialect.time_zone)
        self._meta = {} if sent is None else {"meta": {"lastUpdated": sent}}
        self._said: dict[str, list[Statement]] = {name: [] for name in ORDER}
        self._problems: list[Problem] = []
        self._names: set[str] = set()
        self._person: Json | None = None
        self._visit: str | None = None
        self._common: Segment | None = None
        self._order: Segment | None = None
        self._has_person = False
        self._has_result = False

    def take(self, segment: Segment) -> None:
        """Read the next segment; what is wrong with it is noted."""
        try:
            match segment.name:
                case "PID":
                    self._take_person(segment)
                case "PV1":
                    self._take_visit(segment)
                case "ORC":
                    self._common, self._order = segment, None
                case "OBR":
                    self._take_order(segment)
                case _:
                    self._take_result(segment)
        except ServiceError as error:
            self._problems.append(refused(error))

    def converted(self) -> Converted:
        """Return what was read; a message without a person or result says nothing."""
        for missing, name in (
            (not self._has_person, "PID"),
            (not self._has_result, "OBX"),
        ):
            if missing:
                error = MissingElementError(f"There is no {name}", expression=name)
                self._problems.append(refused(error))
                break
        said = (each for of_type in self._said.values() for each in of_type)
        return Converted(statements=tuple(said), problems=tuple(self._problems))

    def _add(self, resource: Json, segment: Segment) -> None:
        said = Statement(segment.place, resource | self._meta)
        self._said[resource["resourceType"]].append(said)

    def _take_person(self, pid: Segment) -> None:
        self._has_person = True
        self._person = self._visit = self._common = self._order = None
        identifiers = patient_identifiers(pid, dialect=self._dialect)
        self._person = identifiers[0]
        patient = patient_of(pid, identifiers, self._problems)
        if patient is not None:
            self._add(patient, pid)

    def _take_visit(self, pv1: Segment) -> None:
        self._visit = None
        if self._person is None or not self._dialect.encounters:
            return
        encounter = encounter_of(
            pv1, self._person, dialect=self._dialect, problems=self._problems
        )
        if encounter is not None:
            self._visit = encounter["id"]
            self._add(encounter, pv1)

    def _take_order(self, obr: Segment) -> None:
        """Note an order; the ORC before it is of the first OBR after it alone."""
        if self._order is not None:
            self._common = None
        self._order = obr

    def _take_result(self, obx: Segment) -> None:
        self._has_result = True
        if self._person is None:
            if not self._has_person:
                msg = "The result is of nobody: there is no PID before it"
                raise MissingElementError(msg, expression=obx.place)
            return  # the refusal of the PID says it of all that follows
        status = self._status(obx)
        if status is None:
            return
        own_id = self._id(obx)
        if own_id is None and status in NEEDING_A_NAME:
            msg = "Nothing says which result it corrects: no order number, no OBX-21"
            raise MissingElementError(msg, expression=obx.at(STATUS))
        if own_id in self._names:
            self._refuse_twin(obx)
            return
        observation = self._observation(obx, status)
        if own_id is not None:
            self._names.add(own_id)
            observation["id"] = own_id
        self._add(observation, obx)

    def _status(self, obx: Segment) -> str | None:
        """Return the status, or None of what is no result."""
        stated = obx.text(STATUS).upper()
        if stated in NO_RESULT:
            self._problems.append(left_out(obx.place, "It says that it is no result"))
            return None
        if stated == "U":
            msg = "A result is to be sent again where its status changes"
            raise NotSupportedError(msg, expression=obx.at(STATUS))
        status = OBSERVATION_STATUS.get(stated)
        if not stated and self._order is not None:
            status = REPORT_STATUS.get(self._order.text(REPORT).upper())
        if status is None:
            msg = "The status of the result is missing or in no code that is known"
            raise InvalidCodeError(msg, expression=obx.at(STATUS))
        return status

    def _id(self, obx: Segment) -> str | None:
        """
        Return the id of a result, None where nothing names it.

        By its own instance; else by the order's number at who filled it (or placed it),
        the service, the code and the sub-id. The person is in it, for old analysers
        begin their numbers anew.
        """
        assert self._person is not None
        person = (self._person["system"], self._person["value"])
        instance = whole(obx.first(INSTANCE))
        if instance:
            return stable_id("instance", *person, instance)
        code = obx.first(CODE)
        result = (code.text(1), code.text(3), whole(obx.first(SUB_ID)))
        for field in (FILLER, PLACER):
            for segment in (self._order, self._common):
                number = "" if segment is None else whole(segment.first(field))
                if number:
                    service = "" if self._order is None else self._order.text(SERVICE)
                    return stable_id(str(field), *person, number, service, *result)
        return None

    def _refuse_twin(self, obx: Segment) -> None:
        """Tell of another result of one name; further lines of a text are none."""
        if obx.text(VALUE_TYPE).upper() not in TEXTS:
            msg = "Another result of the order has this code and sub-id (OBX-4)"
            raise BusinessRuleError(msg, expression=obx.at(SUB_ID))

    def _observation(self, obx: Segment, status: str) -> Json:
        codings = codings_of(
            obx.first(CODE), dialect=self._dialect, facility=self._facility
        )
        if not codings:
            msg = "The result has no code"
            raise MissingElementError(msg, expression=obx.at(CODE))
        observation: Json = {
            "resourceType": "Observation",
            "status": status,
            "code": {"coding": codings},
            "subject": {"type": "Patient", "identifier": self._person},
        }
        if self._visit is not None:
            observation["encounter"] = {"reference": f"Encounter/{self._visit}"}
        return observation | self._effective(obx) | self._value(obx, status)

    def _effective(self, obx: Segment) -> Json:
        """Return when it was observed: by the result, else by its order."""
        for segment, field in ((obx, OBSERVED_AT), (self._order, OBSERVED)):
            if segment is not None and not segment.first(field).is_empty:
                moment = date_time_of(
                    segment.first(field),
                    time_zone=self._dialect.time_zone,
                    at=segment.at(field),
                )
                return {"effectiveDateTime": moment}
        self._problems.append(
            left_out(obx.at(OBSERVED_AT), "Nothing says of which day")
        )
        return {}

    def _value(self, obx: Segment, status: str) -> Json:
        if status in NOTHING_KEPT:
            return {}
        value, why_none = value_of(obx, dialect=self._dialect, facility=self._facility)
        if why_none:
            self._problems.append(left_out(obx.at(VALUE), why_none))
        return value
