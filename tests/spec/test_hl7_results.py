"""ORU^R01 as laboratories write it, and the FHIR that it says; worked by hand."""

from decimal import Decimal

import pytest

from app.hl7v2.dialects import Dialect
from tests.hl7_messages import (
    MRN_OID,
    NEW_YORK,
    converted,
    header,
    message,
    obr,
    observations,
    obx,
    oru,
    pid,
    problems,
    segment,
)

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
ALPHA = f"urn:oid:{MRN_OID}"
M1 = {"system": ALPHA, "value": "M1"}
SENT = {"lastUpdated": "2024-03-01T09:30:00-05:00"}

LRI = (
    r"MSH|^~\&|NIST LAB^2.16.840.1.113883.3.72.5.20^ISO|ALPHA|HUB|NET"
    "|20240301093000-0500||ORU^R01^ORU_R01|NIST-1|P|2.5.1|||AL|NE|||||LRI_Common\r"
    f"PID|1||M1^^^ALPHA&{MRN_OID}&ISO^MR~A77^^^ALPHA&{MRN_OID}&ISO^AN"
    "~987^^^SSA&2.16.840.1.113883.4.1&ISO^SS||DOE^JANE^Q||19700517|F||2106-3|"
    "12 ELM ST^^CHICAGO^IL^60601^USA^H||^PRN^PH^^^312^5550100\r"
    "PV1|1|O|CLINIC^2^1||||1234^WELBY^MARCUS||||||||||||V55^^^ALPHA"
    "|||||||||||||||||||||||||20240301074500-0500\r"
    "ORC|RE|PL9^EHR|FI9^LAB||||||||||1234^WELBY\r"
    "OBR|1|PL9^EHR|FI9^LAB|24323-8^Comprehensive metabolic panel^LN|||"
    "20240301080000-0500|||||||||1234^WELBY||||||20240301091500-0500|||F\r"
    "NTE|1||PATIENT WAS FASTING\r"
    "OBX|1|NM|4548-4^Hemoglobin A1c^LN^GLY^A1C (SENDOUT)^L^^^^41995-2^HbA1c^LN"
    "||7.10|%^percent^UCUM|4.0-5.6|H|||F|||20240301080000-0500\r"
    "OBX|2|SN|2160-0^Creatinine^LN||<^0.20|mg/dL|0.6-1.2|L|||F|||20240301\r"
    "OBX|3|CWE|882-1^ABO and Rh group^LN||278152006^Group AB^SCT^AB^AB POS^L"
    "||||||F\r"
    "OBX|4|ST|718-7^Hemoglobin^LN||13.5|g/dL|||||F\r"
    "ZLB|1|SOMETHING OF THEIR OWN\r"
)
"""In the manner of the US laboratory results interface, with all that comes along."""

OLD_ANALYSER = (
    "MSH|^~\\&|XL200||||199811071530||ORU^R01|77|P|2.3\n"
    "PID|||00123||SMITH^JOHN||19320401|M\n"
    "OBR|1||980111||||19981107\n"
    "OBX|1|NM|GLU^Glucose||5.4|mmol/L|||||F\n"
    "OBX|2|NM|CHOL||6,1|mmol/L|||||F\n"
)
"""No triggers of 2.5, no authority, no system of codes, ends of lines of a Unix."""


def test_a_laboratory_of_today_is_read_as_the_published_map_says():
    """Every code, the number as written, whose it is and at which visit: no name."""
    said = converted(LRI.encode())

    assert [str(each) for each in said.problems] == [
        "warning: OBX[4]-5: A text is not taken as a value, even of digits"
    ]
    patient, visit, a1c, creatinine, group, text = said.resources
    assert patient == {
        "resourceType": "Patient",
        "identifier": [M1],
        "birthDate": "1970-05-17",
        "gender": "female",
        "address": [{"state": "IL", "postalCode": "60601", "country": "USA"}],
        "meta": SENT,
    }
    about = {
        "subject": {"type": "Patient", "identifier": M1},
        "encounter": {"reference": f"Encounter/{visit['id']}"},
        "meta": SENT,
    }
    assert visit == {
        "resourceType": "Encounter",
        "id": visit["id"],
        "status": "unknown",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
        },
        "subject": about["subject"],
        "period": {"start": "2024-03-01T07:45:00-05:00"},
        "meta": SENT,
    }
    percent = {"unit": "%", "system": UCUM, "code": "%"}
    assert a1c == about | {
        "resourceType": "Observation",
        "id": a1c["id"],
        "status": "final",
        "code": {
            "coding": [
                {"system": LOINC, "code": "4548-4"},
                {"system": "urn:hl7v2:ALPHA:L", "code": "GLY"},
                {"system": LOINC, "code": "41995-2"},
            ]
        },
        "effectiveDateTime": "2024-03-01T08:00:00-05:00",
        "valueQuantity": {"value": Decimal("7.10")} | percent,
    }
    assert str(a1c["valueQuantity"]["value"]) == "7.10"
    assert creatinine["valueQuantity"] == {
        "value": Decimal("0.20"),
        "comparator": "<",
        "unit": "mg/dL",
        "system": UCUM,
        "code": "mg/dL",
    }
    assert creatinine["effectiveDateTime"] == "2024-03-01"
    assert group["valueCodeableConcept"] == {
        "coding": [
            {"system": "http://snomed.info/sct", "code": "278152006"},
            {"system": "urn:hl7v2:ALPHA:L", "code": "AB"},
        ]
    }
    assert group["effectiveDateTime"] == "2024-03-01T08:00:00-05:00"  # its order's
    assert not {name for name in text if name.startswith("value")}
    assert len({each["id"] for each in (visit, a1c, creatinine, group, text)}) == 5


def test_an_old_analyser_is_read_by_what_its_dialect_says():
    """What the message leaves unsaid, the clinic says once; a comma is no point."""
    dialect = Dialect(
        authorities={"": ALPHA},
        code_systems={"": "urn:alpha:lab"},
        time_zone="America/New_York",
    )

    said = converted(OLD_ANALYSER.encode(), dialect)

    patient, glucose = said.resources
    assert patient["identifier"] == [{"system": ALPHA, "value": "00123"}]
    assert (patient["birthDate"], patient["gender"]) == ("1932-04-01", "male")
    assert patient["meta"] == {"lastUpdated": "1998-11-07T15:30:00-05:00"}
    assert glucose["code"]["coding"] == [{"system": "urn:alpha:lab", "code": "GLU"}]
    assert glucose["effectiveDateTime"] == "1998-11-07"
    assert glucose["valueQuantity"]["value"] == Decimal("5.4")
    assert [str(each) for each in said.problems] == [
        "error: OBX[2]-5: The value is not a number, as OBX-2 says"
    ]


def test_a_correction_has_the_id_of_what_it_corrects():
    """So does a repetition; another sub-id, code, order or person has another."""
    (first,) = observations(oru(obx("7.1", f11="P")))
    (again,) = observations(oru(obx("7.1", f11="P"), control_id="MSG2"))
    (corrected,) = observations(oru(obx("7.4", f11="C"), control_id="MSG3"))
    others = [
        oru(obx(f4="2")),
        oru(obx(f3="718-7^Hb^LN")),
        message(header(), pid(), obr("F2"), obx()),
        message(header(), pid("M2"), obr(), obx()),
        message(header(), pid(), obr(f4="1-8^OTHER^LN"), obx()),
    ]

    assert first["id"] == again["id"] == corrected["id"]
    assert (first["status"], corrected["status"]) == ("preliminary", "corrected")
    ids = {observations(each)[0]["id"] for each in others}
    assert len(ids | {first["id"]}) == 6


def test_a_result_is_named_by_its_own_instance_before_its_order():
    """OBX-21 stays the same between messages, whatever the order's number."""
    (one,) = observations(oru(obx(f21="UUID-1")))
    (moved,) = observations(message(header(), pid(), obr("F9"), obx(f21="UUID-1")))

    assert one["id"] == moved["id"] != observations(oru(obx()))[0]["id"]


def test_the_number_of_an_order_may_stand_in_its_orc():
    """Or be its placer's, where nobody else numbered it; an ORC is of one OBR."""
    orc = segment("ORC", f1="RE", f3="F1")
    (by_orc,) = observations(message(header(), pid(), orc, obr(f3=""), obx()))
    by_second = message(header(), pid(), orc, obr(), obr(f3=""), obx())
    (by_placer,) = observations(message(header(), pid(), obr(f3="", f2="F1"), obx()))

    assert by_orc["id"] == observations(oru(obx()))[0]["id"]
    assert "id" not in observations(by_second)[0]
    assert by_placer["id"] != by_orc["id"]


@pytest.mark.parametrize("status", ["C", "A", "D", "W"])
def test_a_correction_of_nobody_knows_what_is_refused(status: str):
    """Without an order's number it would count beside what it corrects."""
    body = message(header(), pid(), obr(f3=""), obx(f11=status))

    assert observations(body) == []
    (told,) = problems(body)
    assert told.startswith("error: OBX[1]-11: Nothing says which result it corrects")


@pytest.mark.parametrize(
    ("stated", "status"),
    [
        *(("F", "final"), ("C", "corrected"), ("A", "amended"), ("P", "preliminary")),
        *(("D", "entered-in-error"), ("W", "entered-in-error"), ("X", "cancelled")),
        *(("R", "preliminary"), ("I", "registered"), ("S", "preliminary")),
        *(("V", "final"), ("B", "final")),
    ],
)
def test_a_status_is_mapped(stated: str, status: str):
    """By the map of table 0085; what the map leaves open counts only if it is final."""
    (said,) = observations(oru(obx(f11=stated)))

    assert said["status"] == status
    assert ("valueQuantity" in said) == (stated not in "DWX")


def test_a_status_that_says_no_result_says_none():
    """Not asked and order details are passed over; the others need a status."""
    assert problems(oru(obx(f11="N"), obx(f11="O"))) == [
        "warning: OBX[1]: It says that it is no result",
        "warning: OBX[2]: It says that it is no result",
    ]
    assert problems(oru(obx(f11="U"), obx(f11="?"), obx(f11=""))) == [
        "error: OBX[1]-11: A result is to be sent again where its status changes",
        *(
            f"error: OBX[{n}]-11: The status of the result is missing or in no code"
            " that is known"
            for n in (2, 3)
        ),
    ]


def test_an_old_sender_states_the_status_of_the_report_alone():
    """OBR-25 stands in for an OBX-11 that is empty, never for one that is not."""
    body = message(header(), pid(), obr(f25="C"), obx(f11=""), obx(f4="2", f11="P"))

    assert [each["status"] for each in observations(body)] == [
        "corrected",
        "preliminary",
    ]


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"f2": "NM", "f5": "+07.50"}, Decimal("7.50")),
        ({"f2": "NM", "f5": "-.5"}, Decimal("-0.5")),
        ({"f2": "SN", "f5": "^12"}, Decimal(12)),
        ({"f2": "SN", "f5": "=^12"}, Decimal(12)),
    ],
)
def test_a_number_is_kept_as_it_was_written(fields: dict, value: Decimal):
    """To its last digit, and with no sign that says nothing."""
    (said,) = observations(oru(obx(**fields)))

    assert said["valueQuantity"]["value"] == value
    assert str(said["valueQuantity"]["value"]) == str(value)
    assert "comparator" not in said["valueQuantity"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"f2": "ST", "f5": "7.1"}, "A text is not taken as a value, even of digits"),
        ({"f2": "FT", "f5": "7.1"}, "A text is not taken as a value, even of digits"),
        ({"f2": "SN", "f5": "^1^-^2"}, "A range or ratio is not taken as a value"),
        ({"f2": "SN", "f5": "^1^:^128"}, "A range or ratio is not taken as a value"),
        ({"f2": "SN", "f5": "<>^1"}, "This comparison is not taken as a value"),
        (
            {"f2": "ED", "f5": "^AP^^Base64^JVBERi0"},
            "A value of this type is not taken",
        ),
        ({"f2": "", "f5": "7.1"}, "A value of this type is not taken"),
        (
            {"f2": "CWE", "f5": "^AB POS"},
            "A text without a code is not taken as a value",
        ),
        ({"f2": "NM", "f5": ""}, "There is no value"),
        ({"f2": "NM", "f5": '""'}, "There is no value"),
    ],
)
def test_what_is_no_value_is_told_and_the_result_stands(fields: dict, why: str):
    """A correction to no value must reach what it corrects."""
    body = oru(obx(**fields))
    (said,) = observations(body)

    assert problems(body) == [f"warning: OBX[1]-5: {why}"]
    assert "dataAbsentReason" in said
    assert not {name for name in said if name.startswith("value")}


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"f5": "POS"}, "OBX[2]-5"),
        ({"f5": "<0.5"}, "OBX[2]-5"),
        ({"f5": "1e5"}, "OBX[2]-5"),
        ({"f5": "\u0667"}, "OBX[2]-5"),
        ({"f5": "1~2"}, "OBX[2]-5"),
        ({"f2": "SN", "f5": "<"}, "OBX[2]-5"),
        ({"f2": "DT", "f5": "yesterday"}, "OBX[2]-5"),
        ({"f3": "^HbA1c"}, "OBX[2]-3"),
        ({"f14": "20240231"}, "OBX[2]-14"),
        ({"f14": "202402010830+1430"}, "OBX[2]-14"),
        ({"f14": "202402010830-0560"}, "OBX[2]-14"),
        ({"f4": ""}, "OBX[2]-4"),
    ],
)
def test_a_bad_result_is_refused_by_its_field_and_the_others_go_on(
    fields: dict, where: str
):
    """Nobody can repair what is told by a number alone, nor may it quote the value."""
    body = oru(obx(), obx(**({"f4": "2"} | fields)), obx(f4="3"))

    assert len(observations(body)) == 2
    (told,) = problems(body)
    assert told.startswith(f"error: {where}: ")


def test_the_lines_of_a_text_are_one_result():
    """A report comes as many OBX of one code; what it says is not taken anyway."""
    lines = [obx(f"LINE {n}", f2="TX", f1=str(n)) for n in range(3)]

    assert len(observations(oru(*lines))) == 1
    assert len(problems(oru(*lines))) == 1


def test_a_unit_is_ucum_where_it_is_said_to_be_or_is():
    """Any other spelling is left for the hub to read; an alternate may be UCUM."""
    units = {
        "%^percent^UCUM": ("%", "%"),
        "mg/dL": ("mg/dL", "mg/dL"),
        "MG/DL": ("MG/DL", None),
        "MG/DL^^L^mg/dL^^UCUM": ("mg/dL", "mg/dL"),
        "^mm/hr": ("mm/hr", None),
        "": (None, None),
    }

    for stated, (unit, code) in units.items():
        (said,) = observations(oru(obx(f6=stated)))
        quantity = said["valueQuantity"]
        assert (quantity.get("unit"), quantity.get("code")) == (unit, code), stated


def test_codes_of_other_systems_keep_whose_they_are():
    """The L of one laboratory is not the L of another; an OID is one."""
    codes = {
        "A^^I10C": "http://hl7.org/fhir/sid/icd-10-cm",
        "A^^HL70078": "http://terminology.hl7.org/CodeSystem/v2-0078",
        "A^^99LAB": "urn:hl7v2:ALPHA:99LAB",
        "A^^MY SYSTEM": "urn:hl7v2:ALPHA:MY%20SYSTEM",
        "A": "urn:hl7v2:ALPHA:L",
        "A^^^^^^^^^^^^^2.999.1": "urn:oid:2.999.1",
        "A^^house": "urn:house",
    }
    dialect = Dialect(code_systems={"house": "urn:house"})

    for stated, system in codes.items():
        (said,) = observations(oru(obx(f3=stated)), dialect)
        assert said["code"]["coding"] == [{"system": system, "code": "A"}], stated


def test_a_time_without_an_offset_is_in_the_zone_of_its_source():
    """New York is five hours behind in winter, four in summer; else the day is kept."""
    times = {
        "20240115": "2024-01-15",
        "202401": "2024-01",
        "202401150830": "2024-01-15T08:30:00-05:00",
        "20240715083015": "2024-07-15T08:30:15-04:00",
        "20240715083015.25+0100": "2024-07-15T08:30:15.250000+01:00",
        "2024011508": "2024-01-15",
        "20240115083000^D": "2024-01-15",
    }

    for stated, moment in times.items():
        (said,) = observations(oru(obx(f14=stated)))
        assert said["effectiveDateTime"] == moment, stated
    (long_ago,) = observations(
        oru(obx(f14="192001010830")), Dialect(time_zone="Europe/Amsterdam")
    )
    assert long_ago["effectiveDateTime"] == "1920-01-01"  # 19 minutes 32 seconds ahead
    (nowhere,) = observations(oru(obx(f14="202401150830")), Dialect())
    assert nowhere["effectiveDateTime"] == "2024-01-15"


def test_a_result_without_any_day_is_told():
    """It counts in no month; the hub says what it makes of it."""
    body = message(header(), pid(), obr(f7=""), obx())

    assert "effectiveDateTime" not in observations(body)[0]
    assert problems(body) == ["warning: OBX[1]-14: Nothing says of which day"]


def test_escapes_are_undone_and_only_escapes():
    """A code may have a caret; a backslash alone is itself."""
    codes = {
        r"A\S\B": "A^B",
        r"A\T\B": "A&B",
        r"A\F\B\R\C": "A|B~C",
        r"A\E\B": "A\\B",
        r"A\X42\C": "ABC",
        r"A\H\B\N\C": "ABC",
        r"A\B": r"A\B",
        r"A\Q\B": r"A\Q\B",
    }

    for stated, code in codes.items():
        (said,) = observations(oru(obx(f3=stated)))
        assert said["code"]["coding"][0]["code"] == code, stated


def test_who_it_is_about_is_the_best_of_several_identifiers():
    """A record number before others; one that the hub knows before all; no account."""
    several = (
        f"X1^^^OTHER&2.999.7&ISO^PI~A9^^^ALPHA&{MRN_OID}&ISO^AN"
        f"~M1^^^ALPHA&{MRN_OID}&ISO^MR~M1^^^ALPHA&{MRN_OID}&ISO^MR~Z^^^UNHEARD^MR"
    )
    body = message(header(), pid(f3=several, f8="F"), obr(), obx())
    other = {"system": "urn:oid:2.999.7", "value": "X1"}
    known = Dialect(unique_systems=frozenset({"urn:oid:2.999.7"}))

    patient, result = converted(body).resources
    assert patient["identifier"] == [M1, other]
    assert result["subject"]["identifier"] == M1
    _, result = converted(body, known).resources
    assert result["subject"]["identifier"] == other


def test_an_authority_is_mapped_by_its_name_or_its_id():
    """What the clinic says of it comes before its OID."""
    dialect = Dialect(authorities={"lab": "urn:lab", "2.999.3": "urn:three"})
    authorities = {
        "LAB": "urn:lab",
        "LAB&2.999.1&ISO": "urn:lab",
        "X&2.999.3&ISO": "urn:three",
        "X&2.999.4&ISO": "urn:oid:2.999.4",
        "&7A717863-616E-4A00-8A00-000000000001&UUID": (
            "urn:uuid:7a717863-616e-4a00-8a00-000000000001"
        ),
        "&http://clinic.example/mrn&URI": "http://clinic.example/mrn",
    }

    for stated, system in authorities.items():
        body = message(header(), pid(f3=f"M1^^^{stated}^MR"), obr(), obx())
        (said,) = observations(body, dialect)
        assert said["subject"]["identifier"]["system"] == system, stated


def test_results_of_somebody_unknown_are_refused_once():
    """Nobody's results would be a patient of their own."""
    unknown = message(header(), pid(f3="M1^^^UNHEARD^MR"), obr(), obx(), obx(f4="2"))
    nobody = message(header(), obr(), obx())

    (told,) = problems(unknown)
    assert told.startswith("error: PID[1]-3: No identifier of the person has an ")
    assert problems(nobody)[0] == (
        "error: OBX[1]: The result is of nobody: there is no PID before it"
    )
    assert observations(unknown) == observations(nobody) == []


def test_results_of_several_people_stay_apart():
    """A message may have a group for each; an order ends with its person."""
    body = message(header(), pid(), obr(), obx(), pid("M2"), obx(f4="9"))

    one, other = observations(body)

    assert one["subject"]["identifier"]["value"] == "M1"
    assert other["subject"]["identifier"]["value"] == "M2"
    assert "id" not in other


def test_what_is_said_of_a_person_is_what_the_hub_keeps():
    """A death by its day, else that it was; sex and birth where they can be read."""
    dead = pid(f7="197005", f8="A", f29="20240102030405-0500", f30="Y")
    alive = pid(f30="N", f8="", f11="^^^NY^10001~^^^IL^60601^^H")
    odd = pid(f7="17.5.1970", f8="WOMAN")

    (patient, _) = converted(message(header(), dead, obr(), obx())).resources
    assert patient["birthDate"] == "1970-05"
    assert patient["gender"] == "other"
    assert patient["deceasedDateTime"] == "2024-01-02"
    (patient, _) = converted(message(header(), alive, obr(), obx())).resources
    assert patient["deceasedBoolean"] is False
    assert patient["address"] == [{"state": "IL", "postalCode": "60601"}]
    assert "gender" not in patient
    body = message(header(), odd, obr(), obx())
    assert [each["resourceType"] for each in converted(body).resources] == [
        "Observation"
    ]
    assert problems(body) == [
        "warning: PID[1]-7: The time can't be read",
        "warning: PID[1]-8: The sex is in no code that is known",
    ]


def test_a_visit_is_one_in_every_message():
    """By its number and person; without a number, class or begin there is none."""
    visit = {"f2": "I", "f19": "V1", "f44": "20240301", "f45": "20240303"}
    said = [
        converted(
            message(header(), pid(), segment("PV1", **(visit | fields)), obr(), obx())
        ).resources
        for fields in ({}, {"f45": ""}, {"f19": ""}, {"f2": ""}, {"f44": ""})
    ]

    (ended, _), (going_on, result), *none = said
    assert (ended["status"], going_on["status"]) == ("finished", "unknown")
    assert ended["class"]["code"] == "IMP"
    assert ended["id"] == going_on["id"]
    assert result["encounter"] == {"reference": f"Encounter/{ended['id']}"}
    assert [[each["resourceType"] for each in one] for one in none] == [
        ["Observation"]
    ] * 3
    body = message(header(), pid(), segment("PV1", **visit), obr(), obx())
    off = Dialect(encounters=False)
    assert [each["resourceType"] for each in converted(body, off).resources] == [
        "Observation"
    ]


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        ("ADT^A01", "error: MSH-9.1: Only results are taken: ORU^R01"),
        ("ORU^R40", "error: MSH-9.2: Of results only the event R01 is taken"),
        ("", "error: MSH-9.1: Only results are taken: ORU^R01"),
    ],
)
def test_other_messages_are_refused_clearly(type_: str, told: str):
    """An engine that sends all it has learns what is wanted here."""
    body = oru(obx(), f9=type_)

    assert problems(body) == [told]
    assert converted(body).resources == ()


def test_a_message_without_results_is_refused():
    """It would be acknowledged, and its sender would think that something came."""
    assert problems(message(header(), pid(), obr())) == ["error: OBX: There is no OBX"]
    assert NEW_YORK.encounters
