"""Where a patient lives, no finer than the law's limits: the state and a ZIP3."""

import re

_ZIP = re.compile(r"([0-9]{3})[0-9]{2}(?:-[0-9]{4})?")

RESTRICTED_ZIP3 = "000"
"""What stands for a prefix of too few people, or of none that were counted."""

_POPULATED = """
006-007 009-035 037-054 056-058 060-089 100-101 103-191 193-201 206-212 214-268 270-310
312-331 333-339 341-342 344-344 346-347 349-352 354-368 370-374 376-398 400-418 420-427
430-458 460-508 510-516 520-528 530-532 534-535 537-551 553-554 557-567 570-577 580-588
590-620 622-631 633-641 644-648 650-658 660-662 664-681 683-691 693-693 700-701 703-708
710-714 716-731 734-741 743-752 754-770 773-816 820-820 822-822 824-838 840-841 843-847
850-853 855-857 859-860 863-865 870-871 873-875 877-877 880-883 890-891 894-895 897-898
900-900 902-908 910-928 930-937 939-941 943-961 967-968 970-986 988-999
"""
POPULATED_ZIP3 = frozenset(
    f"{prefix:03d}"
    for span in _POPULATED.split()
    for prefix in range(int(span[:3]), int(span[4:]) + 1)
)
"""
The 876 prefixes whose areas together have more than 20,000 people.

Source: 45 CFR 164.514(b)(2)(i)(B); 2020 Census, Demographic and Housing
Characteristics, table P1, each ZIP code tabulation area summed by three digits.
"""

STATES = {
    "AL": "Alabama",
    "AK": "Alaska",
    "AZ": "Arizona",
    "AR": "Arkansas",
    "CA": "California",
    "CO": "Colorado",
    "CT": "Connecticut",
    "DE": "Delaware",
    "DC": "District of Columbia",
    "FL": "Florida",
    "GA": "Georgia",
    "HI": "Hawaii",
    "ID": "Idaho",
    "IL": "Illinois",
    "IN": "Indiana",
    "IA": "Iowa",
    "KS": "Kansas",
    "KY": "Kentucky",
    "LA": "Louisiana",
    "ME": "Maine",
    "MD": "Maryland",
    "MA": "Massachusetts",
    "MI": "Michigan",
    "MN": "Minnesota",
    "MS": "Mississippi",
    "MO": "Missouri",
    "MT": "Montana",
    "NE": "Nebraska",
    "NV": "Nevada",
    "NH": "New Hampshire",
    "NJ": "New Jersey",
    "NM": "New Mexico",
    "NY": "New York",
    "NC": "North Carolina",
    "ND": "North Dakota",
    "OH": "Ohio",
    "OK": "Oklahoma",
    "OR": "Oregon",
    "PA": "Pennsylvania",
    "RI": "Rhode Island",
    "SC": "South Carolina",
    "SD": "South Dakota",
    "TN": "Tennessee",
    "TX": "Texas",
    "UT": "Utah",
    "VT": "Vermont",
    "VA": "Virginia",
    "WA": "Washington",
    "WV": "West Virginia",
    "WI": "Wisconsin",
    "WY": "Wyoming",
    "AS": "American Samoa",
    "GU": "Guam",
    "MP": "Northern Mariana Islands",
    "PR": "Puerto Rico",
    "VI": "Virgin Islands",
}
"""The states, the District of Columbia and the territories, by USPS's two letters."""

_CODE_BY_SPELLING = {
    spelling.upper(): code for code, name in STATES.items() for spelling in (code, name)
}


def kept_state(stated: str | None) -> str | None:
    """Return USPS's two letters for a state that is given by them or by its name."""
    return None if stated is None else _CODE_BY_SPELLING.get(stated.strip().upper())


def kept_zip3(stated: str | None) -> str | None:
    """
    Return the first three digits of a ZIP code, or ``000`` where few people live.

    None where it is no ZIP code. An allow-list: a prefix without a counted population,
    such as those of military post, is ``000`` too.
    """
    match = None if stated is None else _ZIP.fullmatch(stated)
    if match is None:
        return None
    return match[1] if match[1] in POPULATED_ZIP3 else RESTRICTED_ZIP3
