"""
Two Patients of two clinics, and whether they are one person: a test set, all made up.

Each case is what the one clinic has and what the other has. ``MAYBE`` holds those whom
the tokens cannot tell apart or together, with what they are said to be: a limit that is
known is not a promise.
"""

from typing import Any, NamedTuple

from tests.deidentification import patient


class Case(NamedTuple):
    """What is told of two Patients, and how each is written."""

    about: str
    one: dict[str, Any]
    other: dict[str, Any]


def someone(
    given: str, family: str, born: str = "1987-04-23", sex: str | None = "female"
) -> dict[str, Any]:
    """Return a Patient of one name; the words of *given* are first and middle names."""
    names = [{"given": given.split(), "family": family}]
    known = {} if sex is None else {"gender": sex}
    return patient(name=names, birthDate=born, **known)


def also(resource: dict[str, Any], **name: Any) -> dict[str, Any]:
    """Return a Patient with a further name."""
    return {**resource, "name": [*resource["name"], name]}


ANNA = someone("Anna", "Kowalski")
MALE = {"sex": "male"}

ONE_PERSON = [
    Case("the same letters", ANNA, ANNA),
    Case("capitals", ANNA, someone("ANNA", "KOWALSKI")),
    Case("spaces around", ANNA, someone("  Anna ", " Kowalski  ")),
    Case("accents", someone("José", "Núñez", **MALE), someone("Jose", "Nunez", **MALE)),
    Case("a stroke", someone("Ewa", "Łuczak"), someone("Ewa", "Luczak")),
    Case("an umlaut spelt out", someone("Eva", "Müller"), someone("Eva", "Mueller")),
    Case("apostrophe", someone("Erin", "O'Brien"), someone("Erin", "OBrien")),
    Case(
        "curly apostrophe", someone("Erin", "O\u2019Brien"), someone("Erin", "O'Brien")
    ),
    Case("Jr.", someone("Ray", "Cole, Jr.", **MALE), someone("Ray", "Cole", **MALE)),
    Case("a title", someone("Dr. Anna", "Kowalski"), ANNA),
    Case("a middle name left out", someone("Anna Maria", "Kowalski"), ANNA),
    Case(
        "a middle name as an initial",
        someone("Anna Maria", "Kowalski"),
        someone("Anna M.", "Kowalski"),
    ),
    Case(
        "a middle name that sounds otherwise than its initial",
        someone("Anna Phoebe", "Kowalski"),
        someone("Anna P", "Kowalski"),
    ),
    Case(
        "a middle name by ear",
        someone("Anna Katherine", "Kowalski"),
        someone("Anna Cathryn", "Kowalski"),
    ),
    Case("a last name misspelt", ANNA, someone("Anna", "Kovalski")),
    Case("by ear", someone("Kate", "Thomson"), someone("Kate", "Tomson")),
    Case("Smyth", someone("Joan", "Smith"), someone("Joan", "Smyth")),
    Case("a letter doubled", ANNA, someone("Anna", "Kowallski")),
    Case("two letters exchanged", ANNA, someone("Anna", "Kowaslki")),
    Case(
        "two letters of the first name exchanged",
        someone("Michael", "Okafor", **MALE),
        someone("Mihcael", "Okafor", **MALE),
    ),
    Case(
        "a first name by ear",
        someone("Catherine", "Doyle"),
        someone("Kathryn", "Doyle"),
    ),
    Case(
        "ph and v", someone("Stephen", "Day", **MALE), someone("Steven", "Day", **MALE)
    ),
    Case("Jon", someone("John", "Adair", **MALE), someone("Jon", "Adair", **MALE)),
    Case("Bob", someone("Robert", "Adair", **MALE), someone("Bob", "Adair", **MALE)),
    Case("Liz and Betty", someone("Liz", "Adair"), someone("Betty", "Adair")),
    Case(
        "a name in brackets",
        someone("William (Bill)", "Adair", **MALE),
        someone("William James", "Adair", **MALE),
    ),
    Case(
        "one of two last names",
        someone("Sofia", "García Márquez"),
        someone("Sofia", "Garcia"),
    ),
    Case(
        "with a hyphen and without",
        someone("Sofia", "Garcia-Marquez"),
        someone("Sofia", "Garcia Marquez"),
    ),
    Case(
        "the other of two last names",
        someone("Sofia", "Garcia-Marquez"),
        someone("Sofia", "Marquez"),
    ),
    Case("particles", someone("Luz", "de la Cruz"), someone("Luz", "Delacruz")),
    Case("no particles", someone("Luz", "de la Cruz"), someone("Luz", "Cruz")),
    Case(
        "day and month exchanged",
        someone("Anna", "Kowalski", "1987-04-09"),
        someone("Anna", "Kowalski", "1987-09-04"),
    ),
    Case("sex unknown", ANNA, someone("Anna", "Kowalski", sex=None)),
    Case("sex not told", ANNA, someone("Anna", "Kowalski", sex="unknown")),
    Case(
        "married, and the maiden name is known",
        ANNA,
        also(someone("Anna", "Berg"), use="maiden", family="Kowalski"),
    ),
    Case(
        "an old name in full",
        ANNA,
        also(someone("Anna", "Berg"), use="old", given=["Anna"], family="Kowalski"),
    ),
    Case(
        "married, and there is a middle name",
        someone("Anna Maria", "Kowalski"),
        someone("Anna Maria", "Berg"),
    ),
    Case("married, both names kept", ANNA, someone("Anna", "Kowalski-Berg")),
    Case("not in Latin letters", someone("Анна", "Ким"), someone("анна", "КИМ")),
]

OTHER_PEOPLE = [
    Case("twins", ANNA, someone("Julia", "Kowalski")),
    Case("twins who begin alike", ANNA, someone("Alicja", "Kowalski")),
    Case("twins with like names", someone("Jane", "Ott"), someone("Joan", "Ott")),
    Case("twins with like names", someone("Ella", "Ott"), someone("Ellie", "Ott")),
    Case(
        "twins whose names are each other's letters",
        someone("Jason", "Ott", **MALE),
        someone("Jonas", "Ott", **MALE),
    ),
    Case(
        "twins of one first name",
        someone("María José", "Ruiz"),
        someone("María Luisa", "Ruiz"),
    ),
    Case(
        "twins of one first name, hyphenated",
        someone("Anna-Lena", "Ott"),
        someone("Anna-Sofie", "Ott"),
    ),
    Case("a boy and a girl", ANNA, someone("Adam", "Kowalski", **MALE)),
    Case(
        "father and son",
        someone("Ray", "Cole", "1961-02-11", **MALE),
        someone("Ray", "Cole Jr", "1987-04-23", **MALE),
    ),
    Case(
        "father and son, one birthday",
        someone("Ray", "Cole", "1961-02-11", **MALE),
        someone("Ray", "Cole", "1987-02-11", **MALE),
    ),
    Case("a namesake", ANNA, someone("Anna", "Kowalski", "1987-04-24")),
    Case(
        "a namesake of one birthday and another middle name",
        someone("Maria Elena", "Garcia"),
        someone("Maria Teresa", "Garcia"),
    ),
    Case("born on one day, by chance", ANNA, someone("Anna", "Nguyen")),
    Case("sisters", ANNA, someone("Ania", "Kowalski", "1989-01-03")),
    Case("newborns", someone("Baby Boy", "Ott"), someone("Baby Boy", "Ott")),
    Case("of twins", someone("Twin A", "Ott"), someone("Twin A", "Ott")),
    Case("test patients", someone("Test", "Patient"), someone("Test", "Patient")),
    Case("of test patients", someone("Zztest", "Ott"), someone("Zztest", "Ott")),
    Case("unknown", someone("Unknown", "Unknown"), someone("Unknown", "Unknown")),
    Case(
        "a birth date that was filled in",
        someone("Anna", "Kowalski", "1900-01-01"),
        someone("Anna", "Kowalski", "1900-01-01"),
    ),
    Case(
        "the year of birth alone",
        someone("Anna", "Kowalski", "1987"),
        someone("Anna", "Kowalski", "1987"),
    ),
    Case("initials", someone("A", "Kowalski"), someone("A", "Kowalski")),
    Case("no first name", someone("", "Kowalski"), someone("", "Kowalski")),
    Case("no last name", someone("Anna", ""), someone("Anna", "")),
    Case(
        "a name that was made up",
        also(ANNA, use="anonymous", given=["Jo"], family="Field"),
        also(someone("Eva", "Berg"), use="anonymous", given=["Jo"], family="Field"),
    ),
]

MISSED = [
    Case("a digit of the birth date", ANNA, someone("Anna", "Kowalski", "1987-04-28")),
    Case("married, and nothing tells", ANNA, someone("Anna", "Berg")),
    Case("both names misspelt", ANNA, someone("Ana", "Kovalski")),
    Case(
        "a short form of many names",
        someone("Alexander", "Cole"),
        someone("Alex", "Cole"),
    ),
]
"""One person all the same; the tokens do not say so."""

MISTAKEN = [
    Case("twins who sound alike", someone("Jayden", "Ott"), someone("Jaden", "Ott")),
    Case("namesakes of one birthday", ANNA, ANNA),
]
"""Two people whom nothing tells apart."""
