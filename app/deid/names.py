"""
Names as typed -> names as compared: what clinics write differently comes out alike.

Only in memory, and only on the way to a keyed token. The table of short forms is of
well-known English and Spanish ones that mean one name; Chris, Alex and Sam mean several
and stay as they are.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

from app.domain.identified import Identified, StatedName

MOST_FIRST, MOST_LAST = 4, 8
"""What is compared of one Patient; who has hundreds of names is nobody."""
SHORTEST = 2
_PLACEHOLDERS = """
anonymous baby babyboy babygirl boy donotuse fnu girl infant lnu newborn nfn nln
nofirstname nolastname noname none null patient test testing testpatient twin
unidentified unk unknown unnamed xx xxx xxxx zz zzz zztest
"""
PLACEHOLDERS = frozenset(_PLACEHOLDERS.split())
"""Words that stand where nobody knew a name."""

_IGNORED_USES = frozenset({"anonymous", "temp"})
_TITLES = frozenset({"dr", "miss", "mr", "mrs", "ms", "prof"})
_SUFFIX_WORDS = "dds esq ii iii iv jr junior md phd rn senior sr"
_SUFFIXES = frozenset(_SUFFIX_WORDS.split())
_PARTICLE_WORDS = """
al av bin da das de del della den der di do dos du el ibn la las le los mac mc san
santa st ten ter van von zu
"""
_PARTICLES = frozenset(_PARTICLE_WORDS.split())
_SEPARATELY_SPELT = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)
_ASIDE = re.compile('\\([^)]*\\)|"[^"]*"|\u201c[^\u201d]*\u201d')
_JOINED_BY = re.compile("['`.\u00b4\u2018\u2019]")

_SHORT_FORMS = """
william: bill billy will willie willy | robert: bob bobby rob robbie robby
richard: dick rich rick ricky | james: jim jimmy | joseph: joe joey | john: johnny
michael: mike mikey mick | thomas: tom tommy | daniel: dan danny | david: dave davey
matthew: matt | anthony: tony | steven: steve stevie | edward: ed eddie | andrew: andy
nicholas: nick nicky | benjamin: ben benny benji | gregory: greg | kenneth: ken kenny
jeffrey: jeff geoff geoffrey | lawrence: larry | ronald: ron ronnie | timothy: tim timmy
zachary: zach zack zac | joshua: josh | gabriel: gabe | charles: chuck charlie
peter: pete | raymond: ray | douglas: doug | frederick: fred freddie freddy
theodore: ted | leonard: len lenny | vincent: vince vinny | jacob: jake | philip: phil
nathaniel: nate
elizabeth: liz lizzie beth betsy betty eliza libby | katherine: kate katie kathy cathy
margaret: maggie meg peggy marge | susan: sue susie | jennifer: jen jenny jenn
rebecca: becky becca | deborah: deb debbie | barbara: barb | patricia: patty pattie
cynthia: cindy | victoria: vicky vicki tori | amanda: mandy | abigail: abby gail
jessica: jess jessie | kimberly: kim | pamela: pam | christina: tina | judith: judy
jose: pepe | francisco: paco pancho | guadalupe: lupe | jesus: chuy | ignacio: nacho
"""
FORMAL = {
    short: formal.strip()
    for entry in re.split(r"[|\n]", _SHORT_FORMS.strip())
    for formal, _, shorts in [entry.partition(":")]
    for short in shorts.split()
}
"""The name that a short form stands for."""


class ComparedNames(Identified, frozen=True):
    """
    The parts of all names of a Patient, normalised.

    ``given`` are pairs of a first name and a middle one that stand together.
    """

    firsts: tuple[str, ...]
    lasts: tuple[str, ...]
    given: tuple[tuple[str, str], ...]


def compared_names(stated: Iterable[StatedName]) -> ComparedNames:
    """
    Return what of *stated* names is compared; a name with a placeholder is left out.

    Every name that a Patient ever had counts, a maiden name or an old one included.
    """
    firsts: dict[str, None] = {}
    lasts: dict[str, None] = {}
    given: dict[tuple[str, str], None] = {}
    for name in stated:
        if name.use in _IGNORED_USES:
            continue
        own = _given_words(name.given)
        family = _words(name.family or "")
        if PLACEHOLDERS & {*own, *family, "".join(own), "".join(family)}:
            continue
        if own and len(own[0]) >= SHORTEST:
            firsts[own[0]] = None
            given.update(dict.fromkeys((own[0], middle) for middle in own[1:]))
        lasts.update(dict.fromkeys(_last_names(family)))
    return ComparedNames(
        tuple(firsts)[:MOST_FIRST], tuple(lasts)[:MOST_LAST], tuple(given)[:MOST_LAST]
    )


def sound(name: str) -> str:
    """
    Return how *name* sounds, roughly: how it begins, its first vowel, consonants, end.

    Finer than Soundex, in which Jane, Joan and John are one: twins often begin alike.
    A name with a letter outside a to z is its own sound.
    """
    if not (name.isascii() and name.isalpha()):
        return name
    spoken = name
    for pattern, replacement in _SPOKEN:
        spoken = pattern.sub(replacement, spoken)
    letters = spoken.translate(_CLASSES)
    vowels = [letter for letter in letters if letter in "aio"]
    consonants = [letter for letter, _ in groupby(letters[1:]) if letter not in "aioh"]
    first = vowels[0] if vowels else ""
    end = letters[-1] if letters[-1:] in {"a", "i", "o"} else ""
    joined = "".join(letter for letter, _ in groupby(consonants))
    return f"{letters[:1]}.{first}.{joined}.{end}"


def beginning(name: str) -> str:
    """Return how *name* begins, which an initial says too; C, K and S are one."""
    return name[:1].translate(_ALIKE_AT_FIRST)


def shuffled(name: str) -> str:
    """Return the letters of *name*, those between the first and the last in order."""
    return name[:1] + "".join(sorted(name[1:-1])) + name[-1:]


_SPOKEN = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        ("ph", "f"),
        ("gh", "g"),
        ("sch|sh", "s"),
        ("ch|ck", "k"),
        ("^kn", "n"),
        ("^wr", "r"),
        ("dg(?=[eiy])", "j"),
        ("c(?=[eiy])", "s"),
        ("g(?=[eiy])", "j"),
        ("w(?=[aeiouy])", "f"),
        ("(?<=.)[wh]", ""),
        ("(?<=[^aeiouy])e$", ""),
    )
]
_CLASSES = str.maketrans("bpckgqxsztdmnvfeyu", "ppkkkkkssttnnffiio")
"""Letters that are easily mistaken for one another, as one of them."""
_ALIKE_AT_FIRST = str.maketrans("kqszxjfvye", "cccccgppii")
"""The same of first letters, where no more may be known than an initial."""


def _given_words(given: Iterable[str]) -> list[str]:
    """Return first and middle names; a short form as what it stands for."""
    words = [word for text in given for word in _words(text)]
    return [FORMAL.get(word, word) for word in words]


def _words(text: str) -> list[str]:
    """Return the words of a name in plain small letters, titles and suffixes apart."""
    plain = unicodedata.normalize("NFKD", _JOINED_BY.sub("", _ASIDE.sub(" ", text)))
    letters = "".join(
        " " if not letter.isalpha() else letter
        for letter in plain
        if not unicodedata.combining(letter)
    )
    words = letters.casefold().translate(_SEPARATELY_SPELT).split()
    while words and words[0] in _TITLES:
        words.pop(0)
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words.pop()
    return words


def _last_names(words: list[str]) -> Iterator[str]:
    """Yield a last name whole, then each part of it, with particles and without."""
    if len("".join(words)) < SHORTEST:
        return
    yield "".join(words)
    start = 0
    for position, word in enumerate(words):
        if word in _PARTICLES and position < len(words) - 1:
            continue
        for part in ("".join(words[start : position + 1]), word):
            if len(part) > SHORTEST:
                yield part
        start = position + 1
