"""
How senders write units, where that is not UCUM; and the annotations worth keeping.

A spelling is looked up only after its text has failed to parse as UCUM, so nothing
here can change the meaning of a valid code: ``K/uL`` stays kelvin per microlitre. Keys
are in lower case, with single blanks, ``u`` for micro and plain digits for raised ones.
"""

LETTERS = str.maketrans("\u00b5\u03bc\u00b2\u00b3\u00d7\u2212", "uu23x-")
"""Signs that have a plain twin: micro, mu, raised two and three, times, minus."""

_SPELLINGS_BY_CODE = {
    "mm[Hg]": "mmhg|mm hg|mm(hg)|torr",
    "cm[H2O]": "cmh2o|cm h2o|cm[h2o]",
    "Cel": "degc|deg c|deg. c|degrees c|degree c|°c|celsius|degrees celsius",
    "[degF]": "degf|deg f|deg. f|degrees f|°f|fahrenheit|degrees fahrenheit|[degf]",
    "%": "percent|pct",
    "%{O2}": "%o2",
    "{score}": "score|(score)|points|point|{score}",
    "{T-score}": "t-score|tscore|t score",
    "{Z-score}": "z-score|zscore|z score|sd|sds",
    "{unit}": "unit|units|(units)|(unit)",
    "{#}": "#|count|number",
    "{#}/d": "# per day|#/day|per day|/day|#/d",
    "{ratio}": "ratio",
    "{INR}": "inr",
    "{titer}": "titer|titre",
    "{beats}/min": "beats/min|beats/minute|beats per minute|bpm|beats/mn",
    "{breaths}/min": "breaths/min|breaths/minute|breaths per minute|resp/min",
    "/min": "per minute|/minute",
    "/a": "# per year|per year|/year",
    "{copies}/mL": "copies/ml|copies per ml",
    "{cells}/uL": "cells/ul|cells/mcl|cells/mm3",
    "{cells}/[HPF]": "cells/hpf",
    "/[HPF]": "/hpf",
    "/[LPF]": "/lpf",
    "{pack-years}": "pack-years|pack years|pack-year",
    "[IU]": "iu",
    "k[IU]/L": "kiu/l",
    "[IU]/L": "iu/l",
    "m[IU]/L": "miu/l",
    "[IU]/mL": "iu/ml",
    "k[IU]/mL": "kiu/ml",
    "m[IU]/mL": "miu/ml",
    "u[IU]/mL": "uiu/ml|mciu/ml",
    "U/L": "u/l|units/l",
    "10*3/uL": "x10*3/ul|x10^3/ul|10e3/ul|x10e3/ul|x 10^3/ul|thou/ul|10^3/mcl",
    "10*6/uL": "x10*6/ul|x10^6/ul|10e6/ul|x10e6/ul|x 10^6/ul|mil/ul|10^6/mcl",
    "10*9/L": "x10*9/l|x10^9/l|10e9/l|x10e9/l|x 10*9/l|x 10^9/l",
    "10*12/L": "x10*12/l|x10^12/l|10e12/l|x10e12/l|x 10*12/l|x 10^12/l",
    "mL/min/{1.73_m2}": "ml/min/1.73m2|ml/min/1.73 m2|ml/min/1.73m^2|ml/min/1.73 m^2",
    "mm/h": "mm/hr|mm/hour|mm/1hr",
    "kg": "kg|kgs|kilogram|kilograms|kilo",
    "g": "gm|gms|gram|grams",
    "mg": "mgs|milligram|milligrams",
    "ug": "mcg|microgram|micrograms",
    "cm": "cm|cms|centimeter|centimeters|centimetre|centimetres",
    "m": "meter|meters|metre|metres",
    "mm": "millimeter|millimeters|millimetre|millimetres",
    "kg/m2": "kg/m2|kg/m^2|kg/m**2|kg/sq m",
    "[in_i]": "in|inch|inches|[in_us]",
    "[ft_i]": "ft|foot|feet",
    "[lb_av]": "lb|lbs|pound|pounds",
    "[oz_av]": "oz|ounce|ounces",
    "L/min": "l/minute|liters/min|litres/min|lpm",
    "mL": "cc|mls|milliliter|milliliters|millilitre|millilitres",
    "L": "liter|liters|litre|litres",
    "g/dL": "g/dl|gm/dl|gms/dl",
    "g/L": "g/l|gm/l",
    "mg/dL": "mg/dl|mgs/dl|mg/100ml|mg/100 ml",
    "mg/L": "mg/l",
    "mmol/L": "mmol/l",
    "umol/L": "umol/l|mcmol/l",
    "nmol/L": "nmol/l",
    "pmol/L": "pmol/l",
    "ng/mL": "ng/ml",
    "ng/dL": "ng/dl",
    "pg/mL": "pg/ml",
    "ug/mL": "ug/ml|mcg/ml",
    "ug/dL": "ug/dl|mcg/dl",
    "ug/L": "ug/l|mcg/l",
    "ug/g": "ug/g|mcg/g",
    "mg/kg": "mg/kg|mgs/kg",
    "meq": "meq",
    "meq/L": "meq/l",
    "mosm/kg": "mosm/kg",
    "mmol/mol": "mmol/mol",
    "mg/(24.h)": "mg/24h|mg/24 h|mg/24hr|mg/24 hr",
    "a": "yr|yrs|year|years|y.o.|yo",
    "mo": "month|months|mos",
    "wk": "week|weeks|wks",
    "d": "day|days",
    "h": "hr|hrs|hour|hours",
    "min": "mins|minute|minutes",
    "s": "sec|secs|second|seconds",
    "ms": "msec|millisecond|milliseconds",
    "min/d": "min/day|minutes per day|minutes/day",
    "d/wk": "days/week|days per week",
}

CODE_BY_SPELLING = {
    spelling: code
    for code, spellings in _SPELLINGS_BY_CODE.items()
    for spelling in spellings.split("|")
}

_ANNOTATIONS = """
# 1.73_m2 100WBC 37Cel ATP BCE CFU CPM FEU GF HA_titer HPF Hb IFA_titer INR ISR JDF'U
KRONU'U LPF Log Log_IU Log_copies M.o.M MPS'U O2 OD_unit PFU RBC RBCs T-score TSI_index
Tscore WBC WBCs Z-score Zscore activity bacteria beat beats binding body_wt breath
breaths bsa cell cells cfu class clock_time control copies copy count creat creatinine
dilution dose dry_tissue dry_wt eGFR entity events feces fraction genomes hb hgb hpf
index index_val inhibition kcal m2 minidrop mutation nominal od pack pack-years
percentile platelet points positive prot protein ratio rbc reactive reference relative
risk s_co_ratio saturation score shift specimen spermatozoa tissue tit_nit titer tot
tot_nit tot_prot total total_volume unit units uptake urea visits vol volume wet_tis
wet_tissue wt
"""

ANNOTATIONS = frozenset(_ANNOTATIONS.split())
"""
The annotations that are kept. UCUM gives an annotation no meaning and no vocabulary,
so it is a free text field inside a code; any other is left out, which changes nothing.
"""
