"""Conversions in whole numbers say what fractions do, to the last place."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import Quantity
from app.measures.definitions import UnitConversion
from app.measures.facts import CanonicalUnit, quantity_thousandths
from app.ucum.units import Conversion, half_even

fractions = st.fractions(max_denominator=10**9)
halves = st.integers(-(10**6), 10**6).map(lambda number: Fraction(number, 2))
numbers = st.decimals(-(10**12), 10**12, allow_nan=False, places=12) | st.decimals(
    -(10**6), 10**6, allow_nan=False
)
OWN = {
    "%": (Fraction(1), Fraction(0)),
    "mmol/mol": (Fraction("0.09148"), Fraction("2.152")),
}
NGSP = UnitConversion(unit="mmol/mol", factor=0.09148, offset=2.152, source="ngsp.org")
HBA1C_UNIT = CanonicalUnit(unit="%", own=(NGSP,))


@given(fractions | halves)
def test_a_fraction_is_rounded_as_python_rounds_it(fraction: Fraction):
    """Of two neighbours that are as near, to the even one, below zero too."""
    found = half_even(fraction.numerator, fraction.denominator)

    assert found == round(fraction)


@given(numbers, fractions, fractions)
def test_a_conversion_is_exact(value: Decimal, factor: Fraction, offset: Fraction):
    """Rounded once, at the ninth place."""
    found = Conversion(factor=factor, offset=offset).billionths(value)

    assert found == round((Fraction(value) * factor + offset) * 10**9)


@given(numbers, st.sampled_from(list(OWN)), st.sampled_from([None, "<", "<=", ">"]))
def test_thousandths_are_those_of_the_converted_decimal(
    value: Decimal, unit: str, comparator: str | None
):
    """The value to nine places, and that half even to three."""
    quantity = Quantity(str(value), unit, comparator)
    factor, offset = OWN[unit]
    billionths = round((Fraction(value) * factor + offset) * 10**9)
    with localcontext(prec=60):
        exact = Decimal(billionths) / 10**6
    expected = int(exact.to_integral_value(ROUND_HALF_EVEN))
    beyond = {"<": -1, ">": 1}.get(comparator or "", 0)

    found = quantity_thousandths(quantity, HBA1C_UNIT)

    is_measurement = not value or abs(value.adjusted()) <= 12
    assert found == (expected + beyond if is_measurement else None)


@given(numbers)
def test_no_value_is_beyond_what_the_store_holds(value: Decimal):
    """Tonnes told in nanograms would not go into 64 bits, and hold up their batch."""
    found = quantity_thousandths(Quantity(str(value), "t"), CanonicalUnit(unit="ng"))

    assert found is None or abs(found) <= 10**16
