"""A definition in plain words."""

from app.domain.counts import Basis
from app.measures.definitions import ImprovementNotation, Measure, Predicate
from app.measures.summary_checks import explain_summary


def explain(measure: Measure) -> str:
    """Return in a few sentences what *measure* counts, and which way is better."""
    if measure.summary is not None:
        return explain_summary(measure)
    unit = {
        Basis.VISITS: "Each person who came to a visit counts once an interval, by the"
        " last visit in the denominator",
        Basis.LATEST_STATUS: "Each person counts at the end of the interval, by values"
        f" of the last {measure.look_back_months} months",
    }[measure.basis]
    population = _phrase(measure.predicates["initial_population"])
    if measure.denominator_exclusion is not None:
        population += f", without {_phrase(measure.denominator_exclusion)}"
    scored = _phrase(measure.predicates["scorable"])
    if measure.denominator == "scorable":
        denominator = f"those with {scored}"
    else:
        denominator = f"all of them, whether or not {scored}"
    better = {
        ImprovementNotation.INCREASE: "More is better",
        ImprovementNotation.DECREASE: "Less is better",
    }[measure.improvement_notation]
    return (
        f"{unit}. Population: {population}. Denominator: {denominator}."
        f" Numerator: {_phrase(measure.predicates['numerator'])}. {better}."
    )


def _phrase(predicate: Predicate, *, within: bool = False) -> str:
    """Return *predicate* as a phrase, in brackets where it stands *within* another."""
    if predicate.not_ is not None:
        return f"not {_phrase(predicate.not_, within=True)}"
    if not predicate.parts:
        return _leaf(predicate)
    word = " and " if predicate.all is not None else " or "
    phrase = word.join(_phrase(part, within=True) for part in predicate.parts)
    return f"({phrase})" if within and len(predicate.parts) > 1 else phrase


def _leaf(leaf: Predicate) -> str:
    """Return one leaf as a phrase."""
    if leaf.age is not None:
        until = "" if leaf.age.below is None else f" and below {leaf.age.below}"
        return f"aged {leaf.age.from_} or older{until}"
    if leaf.value is not None:
        word, cut_off = leaf.value.cut_off
        return f"{_spaced(leaf.value.of)} {word.replace('_', ' ')} {cut_off:g}"
    if leaf.answer is not None:
        answers = " or ".join(code.partition("|")[2] for code in leaf.answer.among)
        return f"{_spaced(leaf.answer.of)} {answers}"
    if leaf.measured is not None:
        return f"{_spaced(leaf.measured)} measured"
    if leaf.seen_within_months is not None:
        return f"seen within {leaf.seen_within_months} months"
    return _spaced(leaf.condition or f"{leaf.sex}")


def _spaced(name: str) -> str:
    """Return a name as words."""
    return name.replace(".", " ").replace("-", " ")
