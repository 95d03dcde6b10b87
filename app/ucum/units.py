"""
What a sender stated as a unit -> its UCUM code, and exact conversions between codes.

ucumvert supplies the grammar and the table of atoms (it brings the UCUM essence with
it); they are loaded at the first question, in about 0.3 s, and kept.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from app.domain.errors import InvalidElementError
from app.ucum.spellings import ANNOTATIONS, CODE_BY_SPELLING, LETTERS

LONGEST_UNIT = 50
LONGEST_NUMERAL = 4
"""Digits in a row; UCUM has no limit, but ``123456789`` is no unit."""
DECIMAL_PLACES = 9
LARGEST_MAGNITUDE = 50
"""Powers of ten of a value that can be converted; 1E+999999 would fill the memory."""
CACHE_SIZE = 4096

_ANNOTATION = re.compile(r"\{([^{}]*)\}")
_NO_UNIT = re.compile(rf"\d{{{LONGEST_NUMERAL + 1},}}|(?:^|[/.(])\d+[+-]")
"""A long numeral; or a factor with an exponent, which the grammar lets through."""
_OPERATORS = ("", "/", ".", "(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """From one unit to another: ``value * factor + offset``, exactly."""

    factor: Fraction
    offset: Fraction = Fraction(0)

    def apply(self, value: Decimal) -> Decimal:
        """
        Return *value* in the other unit, rounded half-even to 9 decimal places.

        Raises:
            InvalidElementError: *value* is not finite, or beyond 10 to the power of 50.
        """
        return Decimal(f"{self.billionths(value)}E-{DECIMAL_PLACES}")

    def billionths(self, value: Decimal) -> int:
        """
        Return the same in billionths, as many as the ninth decimal place counts.

        Raises:
            InvalidElementError: likewise.
        """
        if not value.is_finite() or abs(value.adjusted()) > LARGEST_MAGNITUDE:
            msg = "The value is too large or too small to be converted"
            raise InvalidElementError(msg, expression="Quantity.value")
        # Fractions in whole numbers: they would be reduced at every step.
        numerator, denominator = value.as_integer_ratio()
        factor, offset = self.factor, self.offset
        multiple = numerator * factor.numerator * offset.denominator
        multiple += offset.numerator * denominator * factor.denominator
        whole = denominator * factor.denominator * offset.denominator
        return half_even(multiple * 10**DECIMAL_PLACES, whole)


def half_even(numerator: int, denominator: int) -> int:
    """Return the integer nearest to a fraction, the even one of two."""
    quotient, rest = divmod(numerator, denominator)
    is_odd = quotient & 1
    return quotient + (2 * rest + is_odd > denominator)


IDENTITY = Conversion(factor=Fraction(1))


Node: TypeAlias = Any
"""A Tree or a Token of lark."""


class _Measure(NamedTuple):
    """A unit as a multiple of base units; ``powers`` maps each to its exponent."""

    factor: Fraction
    powers: dict[str, int]


class _Library(NamedTuple):
    """What is loaded once: the parser, its error, prefixes, and atoms' definitions."""

    parser: Any
    parse_error: type[Exception]
    prefixes: dict[str, Fraction]
    atoms: dict[str, Any]


_ZERO_CELSIUS = Fraction("273.15")
_KELVIN_PER_FAHRENHEIT = Fraction(5, 9)
_TEMPERATURES = {
    "K": Conversion(factor=Fraction(1)),
    "Cel": Conversion(factor=Fraction(1), offset=_ZERO_CELSIUS),
    "[degF]": Conversion(
        factor=_KELVIN_PER_FAHRENHEIT,
        offset=_ZERO_CELSIUS - 32 * _KELVIN_PER_FAHRENHEIT,
    ),
}
"""Scales whose zero lies elsewhere, to kelvin: no factor alone converts them."""


@lru_cache(maxsize=CACHE_SIZE)
def canonical_unit(stated: str) -> str | None:
    """
    Return the UCUM code of what a sender *stated* as a unit, or None.

    A valid code stays as it is (case included), but for annotations that are not on the
    list: they mean nothing to UCUM and can hold anything. What is not UCUM is looked up
    among known spellings, whatever its case.

    Source: UCUM 2.2, sections 2-3 (syntax), 6 (annotations).
    """
    text = " ".join(stated.translate(LETTERS).split())
    if not text or len(stated) > LONGEST_UNIT:
        return None
    if _parse(text) is not None:
        return _ANNOTATION.sub(_kept_annotation, text)
    return CODE_BY_SPELLING.get(text.lower())


@lru_cache(maxsize=CACHE_SIZE)
def conversion(from_unit: str, to_unit: str) -> Conversion | None:
    """
    Return how to turn *from_unit* into *to_unit*, or None where nothing can.

    Both are UCUM codes. Annotations count for nothing, so ``{score}``, ``{count}`` and
    ``1`` are one. Moles and arbitrary units such as ``[IU]`` convert among themselves
    only; logarithmic units into nothing but themselves.
    """
    source, target = _without_annotations(from_unit), _without_annotations(to_unit)
    if source == target and _parse(from_unit) is not None:
        return IDENTITY
    if source in _TEMPERATURES and target in _TEMPERATURES:
        return _between(_TEMPERATURES[source], _TEMPERATURES[target])
    measured, wanted = _measure(source), _measure(target)
    if measured is None or wanted is None or measured.powers != wanted.powers:
        return None
    return Conversion(factor=measured.factor / wanted.factor)


def _between(source: Conversion, target: Conversion) -> Conversion:
    """Return source scale to kelvin to target scale as one conversion."""
    return Conversion(
        factor=source.factor / target.factor,
        offset=(source.offset - target.offset) / target.factor,
    )


def _kept_annotation(match: re.Match[str]) -> str:
    """Return a listed annotation; for any other what the grammar needs in its place."""
    if match[1] in ANNOTATIONS:
        return match[0]
    before = match.string[: match.start()][-1:]
    return "1" if before in _OPERATORS else ""


def _without_annotations(code: str) -> str:
    """Return *code* with each annotation that stands alone as 1, and no other."""
    return _ANNOTATION.sub(
        lambda match: "1" if code[: match.start()][-1:] in _OPERATORS else "", code
    )


@lru_cache(maxsize=1)
def _library() -> _Library:
    """Load the grammar and the atoms."""
    # These take 0.2 s to import, and a hub that only serves releases never asks.
    from lark.exceptions import LarkError  # noqa: PLC0415
    from ucumvert import get_ucum_parser, xml_util  # noqa: PLC0415

    prefixes = {
        prefix.attrib["Code"]: Fraction(prefix.find("{*}value").attrib["value"])
        for prefix in xml_util.root.findall(".//{*}prefix")
    }
    atoms = {unit.code_cs: unit for unit in xml_util.get_units_with_full_definition()}
    return _Library(get_ucum_parser(), LarkError, prefixes, atoms)


def _parse(code: str) -> Node | None:
    """Return the syntax tree of a UCUM code, or None where it is not one."""
    if len(code) > LONGEST_UNIT or _NO_UNIT.search(code):
        return None
    library = _library()
    try:
        return library.parser.parse(code)
    except library.parse_error:
        return None


@lru_cache(maxsize=CACHE_SIZE)
def _measure(code: str) -> _Measure | None:
    """Return *code* in base units; None where it is invalid or not a mere multiple."""
    tree = _parse(code)
    return None if tree is None else _measure_of(tree)


def _measure_of(node: Node) -> _Measure | None:
    """Return what a node of the syntax tree measures."""
    if not hasattr(node, "children"):
        return _Measure(Fraction(1), {})
    if node.data == "simple_unit":
        return _measure_of_simple(node.children)
    if node.data == "annotatable":
        return _power(_measure_of(node.children[0]), int(node.children[1]))
    parts = [child for child in node.children if str(child) not in ("/", ".")]
    signs = [-1 if str(child) == "/" else 1 for child in node.children[:-1]]
    last = _power(_measure_of(parts[-1]), signs[-1] if signs else 1)
    return _product([*(_measure_of(part) for part in parts[:-1]), last])


def _measure_of_simple(tokens: list[str]) -> _Measure | None:
    """Return the measure of a factor, an atom, or a prefix and an atom."""
    *prefix, atom = (str(token) for token in tokens)
    if atom.isdigit():
        return _Measure(Fraction(atom), {})
    measured = _measure_of_atom(atom)
    if measured is None or not prefix:
        return measured
    factor = _library().prefixes[prefix[0]]
    return _Measure(factor * measured.factor, measured.powers)


@lru_cache(maxsize=CACHE_SIZE)
def _measure_of_atom(atom: str) -> _Measure | None:
    """Return the measure of an atom; moles and arbitrary units are bases here."""
    definition = _library().atoms.get(atom)
    if definition is None or atom == "mol":
        return _Measure(Fraction(1), {atom: 1})
    if definition.is_special:
        return None
    if definition.is_arbitrary and definition.defining_unit == "1":
        return _Measure(Fraction(1), {atom: 1})
    unit = _measure(definition.defining_unit)
    if unit is None:
        return None
    return _Measure(Fraction(definition.conversion_factor) * unit.factor, unit.powers)


def _power(measure: _Measure | None, exponent: int) -> _Measure | None:
    """Return *measure* raised to *exponent*."""
    if measure is None:
        return None
    powers = {base: power * exponent for base, power in measure.powers.items()}
    return _Measure(measure.factor**exponent, powers)


def _product(measures: Iterable[_Measure | None]) -> _Measure | None:
    """Return the product, without the bases that cancel out."""
    factor, powers = Fraction(1), dict[str, int]()
    for measure in measures:
        if measure is None:
            return None
        factor *= measure.factor
        for base, power in measure.powers.items():
            powers[base] = powers.get(base, 0) + power
    return _Measure(factor, {base: power for base, power in powers.items() if power})
