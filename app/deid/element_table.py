"""
The decision on every element, as a table: names, act, letters of HIPAA, how or why.

A heading, with a colon before it, names the types or the paths that the rows below it
are of. What stands below a dropped element is dropped with it. ``app.deid.elements``
reads this, and says what the words mean.
"""

TYPES = """
: Observation Condition Encounter Patient MeasureReport
resourceType | keep | - | one of these five; any other is not read
id | transform | R | keyed hash, to know the record again; never given out
meta | transform | CNR | by its parts: see Meta
identifier | transform | GHIJKR | by its parts: see Identifier
implicitRules | drop | N | a web address
language | drop | R | free text may stand in it
text | drop | A-R | free text
contained | drop | A-R | whole resources of other people and places
extension | drop | A-R | anything may stand in it
modifierExtension | refuse | A-R | it may turn the meaning round

: Observation
status | keep | - | one of R4's list
category code valueCodeableConcept | transform | R | by its parts: see CodeableConcept
subject encounter | transform | ABHR | by its parts: see Reference
effectiveDateTime effectiveInstant | transform | C | its day in the source's zone
effectivePeriod | transform | C | by its parts: see Period
effectiveTiming | transform | C | by its parts: see Timing
component | transform | R | by its parts: see ObservationComponent
dataAbsentReason | transform | - | by its parts: see CodeableConcept
valueQuantity | transform | - | by its parts: see Quantity
valueBoolean valueInteger | keep | - | as it is
issued | drop | C | a time of day
valueString note | drop | A-R | free text
valueDateTime valuePeriod valueTime | drop | C | a date that is no measurement
valueRange valueRatio | drop | R | not counted; its units may be free text
valueSampledData | drop | P | a curve, such as an ECG or a voice
interpretation bodySite method | drop | AR | not counted; may hold free text
referenceRange | drop | ACR | not counted; may hold an age or free text
basedOn partOf hasMember derivedFrom | drop | HR | another record
focus performer | drop | AHR | another person
specimen device | drop | MR | an accession or serial number

: ObservationComponent
code valueCodeableConcept | transform | R | by its parts: see CodeableConcept
dataAbsentReason | transform | - | by its parts: see CodeableConcept
valueQuantity | transform | - | by its parts: see Quantity
valueBoolean valueInteger | keep | - | as it is
valueString | drop | A-R | free text
valueDateTime valuePeriod valueTime | drop | C | a date that is no measurement
valueRange valueRatio | drop | R | not counted; its units may be free text
valueSampledData | drop | P | a curve, such as an ECG or a voice
interpretation | drop | AR | not counted; may hold free text
referenceRange | drop | ACR | not counted; may hold an age or free text

: Condition
clinicalStatus verificationStatus | transform | - | by its parts: see CodeableConcept
category code | transform | R | by its parts: see CodeableConcept
subject encounter | transform | ABHR | by its parts: see Reference
onsetDateTime abatementDateTime | transform | C | its day in the source's zone
recordedDate | transform | C | its day in the source's zone
onsetPeriod abatementPeriod | transform | C | by its parts: see Period
onsetAge onsetRange abatementAge abatementRange | drop | C | an age, maybe over 89
onsetString abatementString note | drop | A-R | free text
severity bodySite stage evidence | drop | AR | not counted; may hold free text
recorder asserter | drop | AR | a person

: Encounter
status | keep | - | one of R4's list
class | transform | R | by its parts: see Coding
subject | transform | ABHR | by its parts: see Reference
period | transform | C | by its parts: see Period
type serviceType priority reasonCode | drop | AR | not counted; may hold free text
statusHistory classHistory | drop | C | times of day
length | drop | C | with the day it gives the other end
participant | drop | ACR | a person, and when
location | drop | ABC | a place, and when
hospitalization | drop | ABHR | places, an admission number, free text
serviceProvider | drop | AB | a place
account | drop | J | an account
appointment basedOn episodeOfCare partOf | drop | HR | another record
diagnosis reasonReference | drop | HR | another record

: Patient
gender | keep | - | one of R4's list
birthDate | transform | C | its month
deceasedBoolean | keep | - | as it is
deceasedDateTime | transform | C | its month in the source's zone
address | transform | B | one in the United States, the home first; see Address
link | transform | HR | by its parts: see PatientLink
active | drop | - | not counted
name | drop | A | a name
telecom | drop | DEFN | telephone, fax, mail, web
photo | drop | Q | a photograph
contact | drop | A-R | relatives: they are protected too
maritalStatus | drop | R | not counted; rare with the rest, and may hold free text
multipleBirthBoolean multipleBirthInteger | drop | R | rare
communication | drop | R | rare with the rest, and may hold free text
generalPractitioner managingOrganization | drop | AB | a person or place

: MeasureReport
status | keep | - | one of R4's list
type | keep | - | summary; one of a person is refused
measure | transform | N | the id of one of this hub's measures
subject | transform | BR | the Group or Location: see Reference
reporter | transform | BR | where there is no subject, a Location; another is gone
period | transform | C | by its parts: see Period
group | transform | - | by its parts: see MeasureReportGroup
date | drop | C | a time of day
improvementNotation | drop | - | the measure says it
evaluatedResource | refuse | HR | it leads to persons

: MeasureReportGroup
population | transform | - | by its parts: see MeasureReportGroupPopulation
code | drop | AR | may hold free text
measureScore | drop | - | worked out anew
stratifier | drop | AR | may single out a few; may hold free text

: MeasureReportGroupPopulation
code | transform | - | numerator or denominator, else gone with its count
count | keep | - | as it is
subjectResults | refuse | AHR | it leads to persons

: ObservationComponent PatientLink Timing MeasureReportGroup
id | drop | R | a link within the resource
extension | drop | A-R | anything may stand in it
modifierExtension | refuse | A-R | it may turn the meaning round

: MeasureReportGroupPopulation
id | drop | R | a link within the resource
extension | drop | A-R | anything may stand in it
modifierExtension | refuse | A-R | it may turn the meaning round

: Meta Identifier Reference CodeableConcept Coding Quantity Period Address
id | drop | R | a link within the resource
extension | drop | A-R | anything may stand in it

: PatientLink
other | transform | HR | kept where type is replaced-by or replaces: see Reference
type | drop | - | read only to know whether the two are one

: Meta
lastUpdated | transform | C | milliseconds since 1970, to order versions; never shown
versionId | drop | R | another system's number
source profile | drop | N | a web address
security tag | drop | AR | may hold free text

: Identifier
system value | transform | GHIJKR | one keyed hash, if unique in the clinic; else gone
use | drop | - | not needed
type | drop | AR | may hold free text
period | drop | C | dates
assigner | drop | AB | a place

: Reference
reference | transform | HNR | keyed hash of type, source and id
identifier | transform | GHIJKR | by its parts, without a reference: see Identifier
type | drop | N | read only to refuse what is of another type
display | drop | A | a name

: CodeableConcept
coding | transform | R | each that has a code: see Coding
text | drop | A-R | free text

: Coding
system code | transform | NR | kept if listed, check digit and all; else one keyed hash
display | drop | AB | a name may stand in it; the hub has labels of its own
version | drop | R | free text may stand in it
userSelected | drop | - | not needed

: Quantity
value | keep | - | as written, below nine million million
comparator | keep | - | one of R4's list
code unit system | transform | R | one UCUM code: code if system is UCUM, else unit

: Period
start | transform | C | its day in the source's zone
end | drop | C | not needed

: Timing
event | transform | C | the day of the first in the source's zone
repeat code | drop | CR | a schedule, with times of day; may hold free text

: Address
state | transform | - | its two letters; else gone
postalCode | transform | B | three digits if over 20,000 people live there; else 000
use country | drop | B | read only to choose the address
line city district text | drop | B | a place
type | drop | - | not needed
period | drop | C | dates

: primitive
id | drop | R | a link within the resource
extension | drop | A-R | anything may stand in it
"""
"""By type: names, act, letters, how. What stands below a dropped element is dropped."""

PATHS = """
: Observation.dataAbsentReason.coding Observation.component.dataAbsentReason.coding
system code | keep | - | of HL7's data-absent-reason, without a value; else gone

: Condition.clinicalStatus.coding Condition.verificationStatus.coding
system code | keep | - | of HL7's list; with none of it the resource is refused

: Summary
subject | transform | BHR | the Group or Location: see Reference
category component | drop | AR | a number of nobody needs no more than its code
encounter | drop | HR | another record
effectiveTiming | refuse | C | a schedule has no one day
valueCodeableConcept valueBoolean valueString | refuse | A-R | a summary is a number
valueDateTime valueTime valuePeriod | refuse | C | a summary is a number
valueRange valueRatio valueSampledData | refuse | PR | a summary is a number
dataAbsentReason | refuse | AR | a summary is a number

: Summary.valueQuantity
comparator | refuse | - | a summary is a number, not a bound

: Summary.effectivePeriod
start end | transform | C | its day where both are one day, else their month

: MeasureReport.period
start end | transform | C | their month; more or less than one is refused

: MeasureReport.group.population.code.coding
system code | keep | - | HL7's numerator or denominator; else gone
"""
"""Where the elements below a path are decided otherwise than their type's."""
