"""Temporary."""


def explain(measure):
    return measure.description
