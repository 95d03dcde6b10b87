"""The clinics of the synthetic network and the habits of each."""

from collections.abc import Mapping
from enum import Enum, StrEnum

import msgspec

from app.demo.diseases import USUAL_PROPORTION, Disease


class Accent(StrEnum):
    """How a clinic's system speaks FHIR."""

    TRANSACTIONS = "transactions"
    """One transaction a patient: urn:uuid references, times with the local offset."""
    UPDATES = "updates"
    """Batches of updates, then single ones: absolute references, times in UTC."""
    INTERFACE_ENGINE = "interface-engine"
    """Batches of conditional creates: dates only, undotted ICD, units as it knows."""


class Flaw(Enum):
    """What can be wrong with the record of one visit."""

    PART_MISSING = "part-missing"
    LOCAL_CODES = "local-codes"
    NO_UNITS = "no-units"


USUAL_FLAWS = {Flaw.PART_MISSING: 0.03}
POOR_FLAWS = {Flaw.PART_MISSING: 0.26, Flaw.LOCAL_CODES: 0.2, Flaw.NO_UNITS: 0.12}

Diseases = tuple[Disease, ...]
OLIGO: Diseases = (Disease.OLIGOARTHRITIS,)
POLY: Diseases = (Disease.POLYARTHRITIS,)
COLITIS: Diseases = (Disease.COLITIS,)
CROHN: Diseases = (Disease.CROHN,)
DIABETES: Diseases = (Disease.DIABETES,)
HYPERTENSION: Diseases = (Disease.HYPERTENSION,)
BOTH: Diseases = (Disease.DIABETES, Disease.HYPERTENSION)


class Clinic(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic and its habits.

    ``cohorts`` counts patients by what they have. ``visit_gap`` is the mean number of
    days between a patient's visits; ``better`` is added to the usual proportion of
    visits that find the patient at target. ``flaws`` gives the chance of each flaw at
    a visit. ``panels``: cJADAS10 comes as one Observation of three components.
    ``sends_ids``: what is created carries an id. ``claims_ucum``: quantities name UCUM
    as the system of their unit, rightly or not.
    """

    slug: str
    name: str
    time_zone: str
    city: str
    state: str
    zip3: str
    accent: Accent
    cohorts: Mapping[Diseases, int]
    visit_gap: int
    better: float = 0.0
    flaws: Mapping[Flaw, float] = msgspec.field(default_factory=USUAL_FLAWS.copy)
    panels: bool = True
    sends_ids: bool = True
    claims_ucum: bool = True

    @property
    def base_url(self) -> str:
        """Return the base of the clinic's own FHIR server."""
        return f"https://fhir.{self.slug}.example/r4"

    @property
    def identifier_system(self) -> str:
        """Return the system in which the clinic's record numbers are unique."""
        return f"https://{self.slug}.example/record-number"

    @property
    def local_system(self) -> str:
        """Return the clinic's own code system."""
        return f"https://{self.slug}.example/codes"

    def proportion_at_target(self, disease: Disease) -> float:
        """Return the chance that a visit finds a patient with *disease* at target."""
        return USUAL_PROPORTION[disease] + self.better


IMPROVING = "alder-creek"
POORLY_CODING = "copper-ridge"
LATE = "stone-bridge"
PROPORTION_BEFORE, PROPORTION_AFTER = 0.55, 0.75
CHANGE_MONTHS_AGO = 14
LATE_BY_DAYS = 150
SHARED_PEOPLE = (("alder-creek", "juniper-mesa", 9), ("prairie-view", "mill-river", 5))
"""So many of the first clinic's people are patients of the second clinic too."""

CLINICS = (
    Clinic(
        slug="alder-creek",
        name="Alder Creek Children's Hospital",
        time_zone="America/Denver",
        city="Denver",
        state="CO",
        zip3="802",
        accent=Accent.TRANSACTIONS,
        cohorts={OLIGO: 210, POLY: 160},
        visit_gap=98,
    ),
    Clinic(
        slug="harbor-point",
        name="Harbor Point Pediatrics",
        time_zone="America/New_York",
        city="Boston",
        state="MA",
        zip3="021",
        accent=Accent.UPDATES,
        cohorts={OLIGO: 64, POLY: 48},
        visit_gap=91,
        better=0.03,
    ),
    Clinic(
        slug="lantern-bay",
        name="Lantern Bay Children's Center",
        time_zone="America/Los_Angeles",
        city="San Diego",
        state="CA",
        zip3="921",
        accent=Accent.UPDATES,
        cohorts={OLIGO: 24, POLY: 16, COLITIS: 12, CROHN: 12},
        visit_gap=88,
        better=-0.02,
        panels=False,
    ),
    Clinic(
        slug="cedar-hollow",
        name="Cedar Hollow Digestive Health for Children",
        time_zone="America/New_York",
        city="Pittsburgh",
        state="PA",
        zip3="152",
        accent=Accent.TRANSACTIONS,
        cohorts={COLITIS: 38, CROHN: 40},
        visit_gap=84,
        better=0.02,
        sends_ids=False,
    ),
    Clinic(
        slug="prairie-view",
        name="Prairie View Family Medicine",
        time_zone="America/Chicago",
        city="Omaha",
        state="NE",
        zip3="681",
        accent=Accent.INTERFACE_ENGINE,
        cohorts={DIABETES: 28, HYPERTENSION: 34, BOTH: 36},
        visit_gap=118,
        better=-0.03,
        claims_ucum=False,
    ),
    Clinic(
        slug="mill-river",
        name="Mill River Community Health",
        time_zone="America/Chicago",
        city="Des Moines",
        state="IA",
        zip3="503",
        accent=Accent.TRANSACTIONS,
        cohorts={DIABETES: 20, HYPERTENSION: 24, BOTH: 30},
        visit_gap=105,
        better=0.02,
        sends_ids=False,
    ),
    Clinic(
        slug="juniper-mesa",
        name="Juniper Mesa Children's Clinic",
        time_zone="America/Denver",
        city="Albuquerque",
        state="NM",
        zip3="871",
        accent=Accent.UPDATES,
        cohorts={OLIGO: 26, POLY: 18, CROHN: 12},
        visit_gap=94,
        better=-0.01,
    ),
    Clinic(
        slug="copper-ridge",
        name="Copper Ridge Medical Group",
        time_zone="America/Denver",
        city="Salt Lake City",
        state="UT",
        zip3="841",
        accent=Accent.INTERFACE_ENGINE,
        cohorts={OLIGO: 28, POLY: 16, COLITIS: 10, HYPERTENSION: 14},
        visit_gap=100,
        flaws=POOR_FLAWS,
        panels=False,
    ),
    Clinic(
        slug="stone-bridge",
        name="Stone Bridge Pediatric Specialists",
        time_zone="America/Chicago",
        city="Milwaukee",
        state="WI",
        zip3="532",
        accent=Accent.UPDATES,
        cohorts={OLIGO: 28, POLY: 18, COLITIS: 13, CROHN: 19},
        visit_gap=95,
        better=0.01,
    ),
    Clinic(
        slug="quiet-pines",
        name="Quiet Pines Rheumatology",
        time_zone="America/Los_Angeles",
        city="Eugene",
        state="OR",
        zip3="974",
        accent=Accent.TRANSACTIONS,
        cohorts={OLIGO: 9, POLY: 7},
        visit_gap=110,
    ),
    Clinic(
        slug="fox-meadow",
        name="Fox Meadow Primary Care",
        time_zone="America/New_York",
        city="Burlington",
        state="VT",
        zip3="054",
        accent=Accent.INTERFACE_ENGINE,
        cohorts={DIABETES: 8, HYPERTENSION: 15},
        visit_gap=120,
        better=-0.02,
    ),
    Clinic(
        slug="windmill-lane",
        name="Windmill Lane Internal Medicine",
        time_zone="America/Chicago",
        city="Wichita",
        state="KS",
        zip3="672",
        accent=Accent.UPDATES,
        cohorts={DIABETES: 16, HYPERTENSION: 14, BOTH: 26},
        visit_gap=112,
        better=0.01,
    ),
)
