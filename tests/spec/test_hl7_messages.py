"""The grammar of HL7 v2 as senders really write it; files; acknowledgements."""

import pytest

from app.domain.errors import IssueType, ServiceError, TooLargeError
from app.hl7v2.acknowledgements import Acknowledgement, acknowledge
from app.hl7v2.files import messages_in
from app.hl7v2.messages import Message, control_id_of, parse_message
from app.hl7v2.problems import Problem, Severity
from tests.hl7_messages import (
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

NOW = 1_709_303_400_000
"""2024-03-01 14:30:00 UTC."""


def refusal(body: bytes) -> tuple[str | None, IssueType]:
    """Return which field a message is refused for, and why."""
    with pytest.raises(ServiceError) as refused:
        parse_message(body)
    return refused.value.expression, refused.value.issue_type


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n"])
def test_lines_end_as_they_like(end: str):
    """HL7 says CR; files that went through an editor say otherwise."""
    body = message(header(), pid(), obr(), obx(), end=end)

    assert observations(body) == observations(oru(obx()))


@pytest.mark.parametrize("version", ["", "2.1", "2.9", "2.3.2", "2.5.1^USA", "x"])
def test_no_version_is_asked_for(version: str):
    """Senders state none, wrong ones, or later ones than anybody knew."""
    assert observations(oru(obx(), f12=version)) == observations(oru(obx()))


def test_segments_of_ones_own_are_passed_over():
    """As are lines that are none, and segments of any name."""
    body = message(
        header(), "ZZ1|1", pid(), "NTE|a note", "XYZ", obr(), "", "more text", obx()
    )

    assert observations(body) == observations(oru(obx()))


def test_other_delimiters_are_read():
    """They are what MSH says they are."""
    usual = str.maketrans("|^~\\&", "#@*!%")
    (said,) = observations(oru(obx(f6="mg/dL")))
    body = oru(obx(f6="mg/dL")).decode().translate(usual).encode()

    assert observations(body) == [said]


def test_fewer_delimiters_leave_the_usual_ones():
    """Old senders state two or three; new ones a fifth, for cutting off."""
    for stated in ("^", "^~", "^~\\", "^~\\&", "^~\\&#"):
        body = oru(obx()).replace(rb"^~\&", stated.encode(), 1)
        assert observations(body) == observations(oru(obx())), stated


@pytest.mark.parametrize(
    "start", [b"MSH", b"MSH|", b"MSH||", b"MSH|||||", b"MSH|^^|", b"MSH&^", b"MSHA^~"]
)
def test_delimiters_that_tell_nothing_apart_are_refused(start: bytes):
    """Nothing after them could be read."""
    assert refusal(start + b"\rPID|1\r") == ("MSH-2", IssueType.STRUCTURE)


@pytest.mark.parametrize("body", [b"", b"\r\n", b"PID|1\r", b"{}", b"\xff\xfeM\0S\0"])
def test_what_has_no_header_is_no_message(body: bytes):
    """Nor has it a number to be answered by."""
    assert refusal(body) == ("MSH", IssueType.STRUCTURE)
    assert control_id_of(body) == ""


def test_two_messages_in_one_are_refused():
    """One acknowledgement could not speak for both."""
    assert refusal(oru(obx()) + oru(obx())) == ("MSH", IssueType.STRUCTURE)


@pytest.mark.parametrize(
    ("stated", "codec"),
    [
        *(("", "utf-8"), ("", "latin-1"), ("8859/1", "latin-1")),
        *(("8859/15", "iso8859-15"), ("UNICODE UTF-8", "utf-8"), ("utf-8", "utf-8")),
        ("8859/1~ISO IR87", "latin-1"),
    ],
)
def test_a_message_is_in_the_character_set_that_it_says(stated: str, codec: str):
    """Or, where it says none, in the one that it can be read in."""
    body = message(header(f18=stated), pid("MÜ1"), obr(), obx())
    sent = body.decode().encode(codec)

    (said,) = observations(sent)

    assert said["subject"]["identifier"]["value"] == "MÜ1"


def test_another_character_set_is_refused():
    """Guessing would make other identifiers of it."""
    assert refusal(oru(obx(), f18="ISO IR87"))[0] == "MSH-18"
    wrong = message(header(f18="UNICODE UTF-8"), pid("MÜ1"), obr(), obx())
    sent = wrong.decode().encode("latin-1")
    assert refusal(sent) == ("MSH-18", IssueType.VALUE)


def test_repetitions_parts_and_subparts_are_told_apart():
    """The library leaves out levels of single texts; here depth is always the same."""
    read = parse_message(oru(segment("OBX", f1="1", f5="a&b^c~d~~e", f6='""')))
    obx_ = read.segments[-1]

    assert isinstance(read, Message)
    assert [each.parts for each in obx_.repetitions(5)] == [
        (("a", "b"), ("c",)),
        (("d",),),
        (("e",),),
    ]
    assert obx_.first(5).text(1, 2) == "b"
    assert obx_.repetitions(6) == obx_.repetitions(99) == ()
    assert obx_.text(1) == "1"
    assert (obx_.name, obx_.place, obx_.at(5)) == ("OBX", "OBX[1]", "OBX[1]-5")


def test_nothing_of_a_patients_is_in_what_a_message_is_called():
    """A repr stands in tracebacks and in logs of others."""
    read = parse_message(oru(obx("7.1234")))

    assert "7.1234" not in f"{read!r} {read.segments!r} {read.segments[-1].fields!r}"
    assert "M1" not in repr(read)


ONE, TWO = oru(obx("1")), oru(obx("2"))
FHS, BHS = b"FHS|^~\\&|LAB\r", b"BHS|^~\\&|LAB\r"


@pytest.mark.parametrize(
    "content",
    [
        ONE + TWO,
        FHS + BHS + ONE + TWO + b"BTS|2\rFTS|1\r",
        b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r",
        b"\xef\xbb\xbf" + (ONE + TWO).replace(b"\r", b"\r\n"),
        b"\r\n\r\n" + ONE.replace(b"\r", b"\n") + b"\n\n\n" + TWO.removesuffix(b"\r"),
    ],
    ids=["one after the other", "a batch", "MLLP frames", "an editor's", "blank lines"],
)
@pytest.mark.parametrize("size", [1, 7, 1_000_000])
def test_a_file_is_its_messages(content: bytes, size: int):
    """However they were gathered, and in whatever pieces they are read."""
    pieces = (content[i : i + size] for i in range(0, len(content), size))

    found = list(messages_in(pieces, max_bytes=10_000))

    assert [observations(each) for each in found if isinstance(each, bytes)] == [
        observations(ONE),
        observations(TWO),
    ]


def test_a_message_that_is_too_long_is_told_and_the_next_one_read():
    """Whether of many lines or of one; memory stays that of the limit."""
    long_line = oru(obx(f3="x" * 5_000))
    many_lines = oru(*[obx(f4=str(n)) for n in range(100)])

    for long in (long_line, many_lines):
        content = ONE + long + TWO
        pieces = [content[i : i + 64] for i in range(0, len(content), 64)]
        one, refused, two = messages_in(pieces, max_bytes=1_000)
        assert isinstance(refused, TooLargeError)
        assert isinstance(one, bytes)
        assert isinstance(two, bytes)
        assert observations(two) == observations(TWO)


def test_what_stands_before_the_first_message_is_told():
    """A file of something else would be passed over in silence."""
    found = list(messages_in([b"GARBAGE\rMORE\r" + ONE], max_bytes=10_000))

    assert problems(found[0]) == ["error: MSH: A message begins with MSH"]  # type: ignore[arg-type]
    assert len(found) == 2


def problem(place: str, issue_type: IssueType, **said: str) -> Problem:
    return Problem(
        severity=Severity.ERROR,
        issue_type=issue_type,
        place=place,
        message=said.get("message", "Words"),
    )


def acknowledged(code: Acknowledgement, *problems: Problem) -> list[str]:
    body = acknowledge(
        code, control_id="MSG1", own_id="OWN1", now=NOW, problems=problems
    )
    assert body.endswith(b"\r")
    return body.decode().removesuffix("\r").split("\r")


def test_an_acknowledgement_quotes_the_number_of_the_message_alone():
    """Chapter 2.9.2: MSA-1 is what became of it, MSA-2 its MSH-10."""
    assert acknowledged(Acknowledgement.ACCEPT) == [
        (
            "MSH|^~\\&|CATCHMENT||||20240301143000+0000||ACK^R01^ACK|OWN1|P|2.5.1"
            "||||||UNICODE UTF-8"
        ),
        "MSA|AA|MSG1",
    ]


def test_what_was_refused_is_told_by_its_place_and_condition():
    """ERR-2 is segment, which one, field and component; ERR-3 is of table 0357."""
    _, msa, *errors = acknowledged(
        Acknowledgement.ERROR,
        problem("OBX[3]-5", IssueType.VALUE),
        problem("PID[1]-3", IssueType.REQUIRED),
        problem("OBX[2]-11", IssueType.CODE_INVALID),
        problem("MSH-9.1", IssueType.NOT_SUPPORTED),
        problem("MSH-9.2", IssueType.NOT_SUPPORTED),
        problem("MSH-11", IssueType.NOT_SUPPORTED),
        problem("MSH", IssueType.STRUCTURE),
        problem("", IssueType.TOO_LONG, message="A|B^C&D~E\\F"),
    )

    assert msa == "MSA|AE|MSG1"
    words = "HL70357|E||||"
    table = f"{words}Words"
    assert errors == [
        f"ERR||OBX^3^5|102^Data type error^{table}",
        f"ERR||PID^1^3|101^Required field missing^{table}",
        f"ERR||OBX^2^11|103^Table value not found^{table}",
        f"ERR||MSH^1^9^^1|200^Unsupported message type^{table}",
        f"ERR||MSH^1^9^^2|201^Unsupported event code^{table}",
        f"ERR||MSH^1^11|202^Unsupported processing id^{table}",
        f"ERR||MSH^1|100^Segment sequence error^{table}",
        rf"ERR|||207^Application internal error^{words}A\F\B\S\C\T\D\R\E\E\F",
    ]


@pytest.mark.parametrize("stated", ["A^B", "A\x07B", "MÜ", "X" * 200, r"A\F\B"])
def test_a_number_that_could_not_be_said_again_is_not(stated: str):
    """An answer that somebody else's text could shape is none of ours."""
    assert control_id_of(oru(obx(), control_id=stated)) == ""


def test_the_number_is_known_of_what_cannot_be_read():
    """Its sender would send it again for ever, if it were not answered."""
    unreadable = oru(obx(), control_id="N-7", f18="ISO IR87")

    assert control_id_of(unreadable) == "N-7"
    assert control_id_of(b"MSH|^~\\&|||||||||") == ""
