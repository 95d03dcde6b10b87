"""Contains all the data models used in inputs/outputs"""

from .add_annotation_body import AddAnnotationBody
from .add_annotation_body_kind import AddAnnotationBodyKind
from .add_cohort_body import AddCohortBody
from .add_phase_body import AddPhaseBody
from .add_phase_body_kind import AddPhaseBodyKind
from .add_project_body import AddProjectBody
from .add_project_body_phase_question import AddProjectBodyPhaseQuestion
from .add_project_body_phase_question_kind import AddProjectBodyPhaseQuestionKind
from .annotation_answer import AnnotationAnswer
from .annotation_kind import AnnotationKind
from .annotations_answer import AnnotationsAnswer
from .assurance_answer import AssuranceAnswer
from .assurance_answer_value_type_0 import AssuranceAnswerValueType0
from .audience import Audience
from .audit_answer import AuditAnswer
from .baseline_answer import BaselineAnswer
from .basis import Basis
from .benchmarks_answer import BenchmarksAnswer
from .catalogue import Catalogue
from .chart_answer import ChartAnswer
from .chart_kind import ChartKind
from .chart_point_answer import ChartPointAnswer
from .chart_signal_answer import ChartSignalAnswer
from .chart_view import ChartView
from .clinic_answer import ClinicAnswer
from .code_answer import CodeAnswer
from .code_use import CodeUse
from .cohort_answer import CohortAnswer
from .cohorts_answer import CohortsAnswer
from .comparison_answer import ComparisonAnswer
from .comparison_answer_interval_method import ComparisonAnswerIntervalMethod
from .contribution_answer import ContributionAnswer
from .contribution_answer_status import ContributionAnswerStatus
from .contributions_answer import ContributionsAnswer
from .delay_answer import DelayAnswer
from .discover_response_discover import DiscoverResponseDiscover
from .distribution_answer import DistributionAnswer
from .earlier_version_answer import EarlierVersionAnswer
from .end_project_body import EndProjectBody
from .estimate_answer import EstimateAnswer
from .event_point import EventPoint
from .event_point_reason_type_0 import EventPointReasonType0
from .event_signal_answer import EventSignalAnswer
from .events_answer import EventsAnswer
from .events_answer_between import EventsAnswerBetween
from .evidence_answer import EvidenceAnswer
from .expected_answer import ExpectedAnswer
from .finding import Finding
from .finding_answer import FindingAnswer
from .funnel_limits_answer import FunnelLimitsAnswer
from .gap_limits import GapLimits
from .grant_token_token_request import GrantTokenTokenRequest
from .interval import Interval
from .introspect_token_token_form import IntrospectTokenTokenForm
from .introspection_answer import IntrospectionAnswer
from .live_response_live import LiveResponseLive
from .measure_definition import MeasureDefinition
from .measure_definition_definition import MeasureDefinitionDefinition
from .measure_definition_improvement_notation import (
    MeasureDefinitionImprovementNotation,
)
from .measure_definition_scoring import MeasureDefinitionScoring
from .measure_definition_stratifiers import MeasureDefinitionStratifiers
from .measure_definition_value_sets import MeasureDefinitionValueSets
from .measure_summary import MeasureSummary
from .measure_summary_improvement_notation import MeasureSummaryImprovementNotation
from .measure_summary_scoring import MeasureSummaryScoring
from .measure_summary_value_sets import MeasureSummaryValueSets
from .missing import Missing
from .month_answer import MonthAnswer
from .network_answer import NetworkAnswer
from .no_capture import NoCapture
from .no_comparison import NoComparison
from .no_data import NoData
from .not_estimated import NotEstimated
from .phase_answer import PhaseAnswer
from .phase_kind import PhaseKind
from .point import Point
from .problem import Problem
from .project_answer import ProjectAnswer
from .project_phase_answer import ProjectPhaseAnswer
from .project_status import ProjectStatus
from .projects_answer import ProjectsAnswer
from .quality_answer import QualityAnswer
from .ready_response_503_ready import ReadyResponse503Ready
from .ready_response_ready import ReadyResponseReady
from .refusal_answer import RefusalAnswer
from .register_client_client_metadata import RegisterClientClientMetadata
from .register_client_client_metadata_jwks import RegisterClientClientMetadataJwks
from .register_client_client_metadata_token_endpoint_auth_method import (
    RegisterClientClientMetadataTokenEndpointAuthMethod,
)
from .registration_answer import RegistrationAnswer
from .registration_answer_jwks_type_0 import RegistrationAnswerJwksType0
from .release_answer import ReleaseAnswer
from .release_answer_summary import ReleaseAnswerSummary
from .releases_answer import ReleasesAnswer
from .remark_answer import RemarkAnswer
from .restated_block import RestatedBlock
from .revocation_answer import RevocationAnswer
from .revoke_token_token_form import RevokeTokenTokenForm
from .rule_set import RuleSet
from .score_answer import ScoreAnswer
from .score_answer_withheld import ScoreAnswerWithheld
from .scorecard_answer import ScorecardAnswer
from .series_answer import SeriesAnswer
from .shift_answer import ShiftAnswer
from .signature_answer import SignatureAnswer
from .signing_keys_response_signing_keys import SigningKeysResponseSigningKeys
from .source_answer import SourceAnswer
from .spark_point import SparkPoint
from .target import Target
from .token_answer import TokenAnswer
from .token_problem import TokenProblem
from .unit_answer import UnitAnswer
from .untranslated_answer import UntranslatedAnswer
from .variation_answer import VariationAnswer
from .variation_point import VariationPoint
from .visit_capture_answer import VisitCaptureAnswer
from .withdraw_annotation_body import WithdrawAnnotationBody
from .withheld import Withheld

__all__ = (
    "AddAnnotationBody",
    "AddAnnotationBodyKind",
    "AddCohortBody",
    "AddPhaseBody",
    "AddPhaseBodyKind",
    "AddProjectBody",
    "AddProjectBodyPhaseQuestion",
    "AddProjectBodyPhaseQuestionKind",
    "AnnotationAnswer",
    "AnnotationKind",
    "AnnotationsAnswer",
    "AssuranceAnswer",
    "AssuranceAnswerValueType0",
    "Audience",
    "AuditAnswer",
    "BaselineAnswer",
    "Basis",
    "BenchmarksAnswer",
    "Catalogue",
    "ChartAnswer",
    "ChartKind",
    "ChartPointAnswer",
    "ChartSignalAnswer",
    "ChartView",
    "ClinicAnswer",
    "CodeAnswer",
    "CodeUse",
    "CohortAnswer",
    "CohortsAnswer",
    "ComparisonAnswer",
    "ComparisonAnswerIntervalMethod",
    "ContributionAnswer",
    "ContributionAnswerStatus",
    "ContributionsAnswer",
    "DelayAnswer",
    "DiscoverResponseDiscover",
    "DistributionAnswer",
    "EarlierVersionAnswer",
    "EndProjectBody",
    "EstimateAnswer",
    "EventPoint",
    "EventPointReasonType0",
    "EventsAnswer",
    "EventsAnswerBetween",
    "EventSignalAnswer",
    "EvidenceAnswer",
    "ExpectedAnswer",
    "Finding",
    "FindingAnswer",
    "FunnelLimitsAnswer",
    "GapLimits",
    "GrantTokenTokenRequest",
    "Interval",
    "IntrospectionAnswer",
    "IntrospectTokenTokenForm",
    "LiveResponseLive",
    "MeasureDefinition",
    "MeasureDefinitionDefinition",
    "MeasureDefinitionImprovementNotation",
    "MeasureDefinitionScoring",
    "MeasureDefinitionStratifiers",
    "MeasureDefinitionValueSets",
    "MeasureSummary",
    "MeasureSummaryImprovementNotation",
    "MeasureSummaryScoring",
    "MeasureSummaryValueSets",
    "Missing",
    "MonthAnswer",
    "NetworkAnswer",
    "NoCapture",
    "NoComparison",
    "NoData",
    "NotEstimated",
    "PhaseAnswer",
    "PhaseKind",
    "Point",
    "Problem",
    "ProjectAnswer",
    "ProjectPhaseAnswer",
    "ProjectsAnswer",
    "ProjectStatus",
    "QualityAnswer",
    "ReadyResponse503Ready",
    "ReadyResponseReady",
    "RefusalAnswer",
    "RegisterClientClientMetadata",
    "RegisterClientClientMetadataJwks",
    "RegisterClientClientMetadataTokenEndpointAuthMethod",
    "RegistrationAnswer",
    "RegistrationAnswerJwksType0",
    "ReleaseAnswer",
    "ReleaseAnswerSummary",
    "ReleasesAnswer",
    "RemarkAnswer",
    "RestatedBlock",
    "RevocationAnswer",
    "RevokeTokenTokenForm",
    "RuleSet",
    "ScoreAnswer",
    "ScoreAnswerWithheld",
    "ScorecardAnswer",
    "SeriesAnswer",
    "ShiftAnswer",
    "SignatureAnswer",
    "SigningKeysResponseSigningKeys",
    "SourceAnswer",
    "SparkPoint",
    "Target",
    "TokenAnswer",
    "TokenProblem",
    "UnitAnswer",
    "UntranslatedAnswer",
    "VariationAnswer",
    "VariationPoint",
    "VisitCaptureAnswer",
    "WithdrawAnnotationBody",
    "Withheld",
)
