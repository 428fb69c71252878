"""Which numbers answer a spec's question: those that its rule compares, then those that its kinds name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from polylens.analyses import RAW_INPUTS, Analysis
from polylens.labels import Label
from polylens.scores import Score
from polylens.spec import Experiment
from polylens.spec.named_numbers import CHANCE, CODE_NUMBERS, LEAD, MODEL_NUMBERS
from polylens.spec.refutation import read_conditions

CODE, MODEL = "code", "model"
"""Sources of numbers of the network itself; no analysis can be called like these."""
_HEADLINES = {MODEL: ("accuracy", "next_token_loss", "bigram_lead"), CODE: ("explained_variance",)}


@dataclass(frozen=True)
class Question:
    """What a spec asks of numbers, without anything that was computed."""

    analyses: Mapping[str, Analysis]
    labels: Mapping[str, Label] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    refuted_if: Sequence[str] = ()
    controls: Sequence[str] = ()
    """Their names, without the raw inputs."""

    @classmethod
    def of(cls, experiment: Experiment) -> Question:
        """That of one child of a spec."""
        return cls(
            experiment.analyses,
            experiment.labels,
            experiment.scores,
            experiment.refuted_if,
            [named.name for named in experiment.controls],
        )

    def headlines(self) -> dict[str, tuple[str, ...]]:
        """By source what the terminal's summary shows, with `*` for names of labels."""
        members: dict[str, Analysis | Label | Score] = {**self.analyses, **self.labels, **self.scores}
        return {**{name: member.headline for name, member in members.items()}, **_HEADLINES}

    def asked(self) -> tuple[str, ...]:
        """The numbers that `refuted_if` compares, such as `quality/purity`, those of controls among them."""
        terms = [
            term.text
            for line in self.refuted_if
            for condition in read_conditions(line)
            for term in (condition.left, condition.right)
            if term.constant is None
        ]
        return tuple(dict.fromkeys(map(self._of_the_network, terms)))

    def answers(self) -> dict[str, tuple[str, ...]]:
        """By source what its kind answers with, with `*` for names of labels.

        Analyses and scores answer. Where none does, labels say what clusters seem to mean, then the headlines
        of analyses stand, and the network's own where there is nothing else.
        """
        members: dict[str, Analysis | Score] = {**self.analyses, **self.scores}
        by_kind = {
            name: member.answer if isinstance(member, Analysis) else member.headline
            for name, member in members.items()
        }
        labels = {name: label.headline for name, label in self.labels.items()}
        analyses = {name: analysis.headline for name, analysis in self.analyses.items()}
        return next((each for each in (by_kind, labels, analyses) if any(each.values())), _HEADLINES)

    def names(self) -> tuple[str, ...]:
        """The answering numbers by name, as far as kinds say them; first those of what the rule is about."""
        named = [
            name for source, patterns in self.answers().items() for name in self._named(source, patterns)
        ]
        asked = self.asked()
        about = {name.partition("/")[0] for name in asked}
        names = dict.fromkeys([*named, *asked])
        return tuple(sorted(names, key=lambda name: name.partition("/")[0] not in about))

    def _named(self, source: str, patterns: Iterable[str]) -> Iterator[str]:
        """Names that patterns stand for: one for each label that is scored."""
        score = self.scores.get(source)
        for pattern in patterns:
            if score is None or "*" not in pattern:
                shown = score is None or pattern in score.given_numbers
                yield from [f"{source}/{pattern}"] if shown else ()
            elif pattern in score.given_numbers:
                of = [name for name, label in self.labels.items() if label.of == score.of]
                yield from (f"{source}/{pattern.replace('*', name)}" for name in score.labels or of)

    def _of_the_network(self, text: str) -> str:
        """The network's number that a term stands for: without control, chance and lead."""
        source, _, number = text.partition("/")
        number = number.removesuffix(f".{CHANCE}")
        shorter = [
            number.removesuffix(f".{each}")
            for each in (*self.controls, RAW_INPUTS)
            if number.endswith(f".{each}")
        ]
        if not shorter:
            return f"{source}/{number}"
        plain = min(shorter, key=len)
        led = plain.removesuffix(LEAD)
        # `least_lead` is a number of its own, `purity_lead` how far purity is ahead.
        return f"{source}/{led if led != plain and self._is_given(source, led) else plain}"

    def _is_given(self, source: str, number: str) -> bool:
        member = self.analyses.get(source) or self.labels.get(source) or self.scores.get(source)
        known = {CODE: CODE_NUMBERS, MODEL: sum(MODEL_NUMBERS.values(), ())}
        given = known.get(source, ()) if member is None else member.numbers
        return any(fnmatchcase(number, pattern) for pattern in given)
