"""Frozen data that floors hand to each other, without torch."""

from polylens.records.codes import CodeLayer, Codes, CodeScheme, Explained
from polylens.records.comparisons import Comparison, Pair
from polylens.records.draws import Draws
from polylens.records.findings import (
    MAJORITY,
    NOISE,
    Alternative,
    ClusterLabel,
    Figure,
    Findings,
    Hierarchy,
    Labels,
    Number,
    Partition,
    RangeKind,
    Subhierarchy,
    count_clusters,
)
from polylens.records.groupings import Grouping
from polylens.records.label_records import OUTCOMES, AnswerOutcome, LabelRecord, Meanings
from polylens.records.marks import Mark
from polylens.records.network import (
    PADDING,
    Context,
    Described,
    Examples,
    ImageFormat,
    InputFormat,
    Network,
    Shown,
    Skipped,
    TextFormat,
    TokenContext,
    Told,
)
from polylens.records.questions import CHOICE, Answer, Choice, Question, Sentence
from polylens.records.rows import CLASS, Origins, Rows, RowTargets, RowTokens, row_pieces
from polylens.records.verdicts import Decision, Verdict

__all__ = [
    "CHOICE",
    "CLASS",
    "MAJORITY",
    "NOISE",
    "OUTCOMES",
    "PADDING",
    "Alternative",
    "Answer",
    "AnswerOutcome",
    "Choice",
    "ClusterLabel",
    "CodeLayer",
    "CodeScheme",
    "Codes",
    "Comparison",
    "Context",
    "Decision",
    "Described",
    "Draws",
    "Examples",
    "Explained",
    "Figure",
    "Findings",
    "Grouping",
    "Hierarchy",
    "ImageFormat",
    "InputFormat",
    "LabelRecord",
    "Labels",
    "Mark",
    "Meanings",
    "Network",
    "Number",
    "Origins",
    "Pair",
    "Partition",
    "Question",
    "RangeKind",
    "RowTargets",
    "RowTokens",
    "Rows",
    "Sentence",
    "Shown",
    "Skipped",
    "Subhierarchy",
    "TextFormat",
    "TokenContext",
    "Told",
    "Verdict",
    "count_clusters",
    "row_pieces",
]
