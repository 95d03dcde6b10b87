"""Who reads and writes what people say: clinics, coordinators, readers of releases."""

from typing import Annotated

from fastapi import Depends

from app.routers.dependencies import Caller
from app.services.authorization import check_scope
from app.services.parties import Party


def find_reader(caller: Caller) -> Party:
    """Return a caller who may see numbers, and so what is said about them."""
    check_scope(caller, "MeasureReport", "r")
    return Party.of(caller)


def find_writer(caller: Caller) -> Party:
    """Return a coordinator, or a client that may send its clinic's reports."""
    party = Party.of(caller)
    if not party.coordinates:
        check_scope(caller, "MeasureReport", "c")
    return party


ReadingParty = Annotated[Party, Depends(find_reader)]
WritingParty = Annotated[Party, Depends(find_writer)]
