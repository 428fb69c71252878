"""What one labeler says of one cluster, whoever the labeler is: a rule, a model, or a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from polylens.errors import DataError

AnswerOutcome = Literal["answered", "malformed", "refused", "failed"]
"""What became of a question: an answer of the asked form, one of another form, a refusal, or none at all."""
OUTCOMES: tuple[AnswerOutcome, ...] = get_args(AnswerOutcome)

Meanings = Literal["one", "several", "unclear", ""]
"""How many meanings a cluster seems to have; empty where the labeler was not asked."""

FIELDS = ("cluster", "text", "labeler", "kind", "outcome", "meanings", "made_of", "note", "by", "at")
"""The fields of a record, in the order in which a table or a file of records has them."""


@dataclass(frozen=True)
class LabelRecord:
    """One label of one cluster. A later label stands beside an earlier one and never replaces it."""

    cluster: int
    """Number of the cluster in its partition."""
    text: str
    """The label; empty where there is none, and `outcome` says why."""
    labeler: str
    """Name of the label in the spec, or of the sheet that a person filled."""
    kind: str
    """What made it: a kind of label such as `class_enrichment` or `written`, or `given` by a person."""
    outcome: AnswerOutcome = "answered"
    """Whether the labeler answered. Rules always do."""
    meanings: Meanings = ""
    """How many meanings the labeler says that the cluster has."""
    made_of: str = ""
    """What the label was made from, such as `20 rows of 20 examples, 10 contrast rows`."""
    note: str = ""
    """What the labeler says beside it, such as why."""
    by: str = ""
    """Who: the name of a judge's model, or of a person; empty for rules."""
    at: str = ""
    """When, as an ISO date; empty where the day changes nothing, as for rules."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Scores of this label on held-out rows, by name of the score."""

    def of_labeler(self, name: str) -> LabelRecord:
        """The record under the name that the spec gives its labeler."""
        return replace(self, labeler=name)

    def with_scores(self, scores: Mapping[str, float]) -> LabelRecord:
        """The record with the scores of its label."""
        return replace(self, scores=dict(scores))

    def to_plain(self) -> dict[str, Any]:
        """Plain data that `from_plain` reads."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> LabelRecord:
        """The record that plain data says; unknown keys and words are refused.

        Raises:
            DataError: a key is missing or unknown, or a word is none of those that it can be.

        >>> LabelRecord.from_plain({"cluster": 3, "text": "dates", "labeler": "anna", "kind": "given"}).text
        'dates'
        """
        known = {*FIELDS, "scores"}
        for key in plain:
            if key not in known:
                raise DataError(f"a label has no '{key}'", hint=f"it has {', '.join(FIELDS)}")
        for key in ("cluster", "text", "labeler", "kind"):
            if key not in plain:
                raise DataError(f"a label needs '{key}'", hint=f"it has {', '.join(FIELDS)}")
        record = cls(**{**plain, "scores": dict(plain.get("scores", {}))})
        if record.outcome not in OUTCOMES:
            raise DataError(f"'{record.outcome}' is no outcome", hint=f"outcomes: {', '.join(OUTCOMES)}")
        if record.meanings not in get_args(Meanings):
            raise DataError(f"'{record.meanings}' says no number of meanings", hint="one, several or unclear")
        if isinstance(record.cluster, bool) or not isinstance(record.cluster, int) or record.cluster < 0:
            raise DataError(f"'{record.cluster}' is no number of a cluster")
        return record
