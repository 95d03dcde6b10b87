"""Definitions tried out: their worked examples, counted as the hub would count them."""

from collections.abc import Iterator

from app.measures.checks import Problem
from app.measures.compilation import compile_measure
from app.measures.definitions import Measure
from app.measures.documents import Fault
from app.measures.examples import disagreements, example_rows
from app.measures.libraries import Definition
from app.store.scratch import counted


def failures(measure: Measure) -> Iterator[Problem]:
    """Yield what the examples of *measure* expect and its count does not say."""
    if not measure.examples:
        return
    rows = example_rows(measure)
    tables = {
        name: getattr(rows, name)
        for name in rows.__struct_fields__
        if name != "concepts"
    }
    events = counted(tables, sweep=compile_measure(measure, rows.concepts))
    yield from disagreements(measure, events)


def failed_examples(definition: Definition) -> Iterator[Fault]:
    """Yield the examples of a file that do not hold, by the lines they stand on."""
    stated = () if definition.stated is None else definition.stated.examples
    for measure in definition.measures:
        for problem in failures(measure):
            _, position, *within = problem.path
            assert isinstance(position, int)
            # An example is one of the file's, whichever cut-off set it belongs to.
            path = ("examples", stated.index(measure.examples[position]), *within)
            yield definition.document.fault(path, problem.message)
