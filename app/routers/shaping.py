"""From what a service found to what an answer says."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from app.domain.calendar import first_day
from app.domain.counts import ReleasedCell, Withheld
from app.routers import answers
from app.services import catalogue
from app.services.charts import ChartOf, ComparisonOf
from app.services.explanations import explanation_of
from app.services.series import Series
from app.store.releases import ReleaseRow
