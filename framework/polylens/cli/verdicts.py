"""The verdicts of a study in the terminal: what its numbers say of the claim, and why."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from rich.text import Text

from polylens.records import Decision
from polylens.study.study_results import ChildResult

_STYLE: dict[str, str] = {"supported": "bold green", "refuted": "bold red", "undecided": "bold yellow"}
_MOST_CHILDREN = 20
_MOST_RULES = 4


def verdict_lines(children: Sequence[ChildResult], *, study: str, width: int) -> Iterator[Text]:
    """The verdict of each run; nothing where the spec has no `refuted_if`."""
    verdicts = [(child, child.verdict) for child in children]
    judged = [(child, verdict) for child, verdict in verdicts if verdict is not None]
    if not judged:
        return
    yield Text()
    if len(judged) > 1:
        yield Text("The claim", style="bold")
    for child, verdict in judged[:_MOST_CHILDREN]:
        point = child.name.removeprefix(study).strip()
        head = f"  {point}: " if len(judged) > 1 else "The claim is "
        first, *rest = _wrapped(f"{head}{verdict.decision}: {verdict.why}", width=width)
        line = Text(first)
        line.stylize(_STYLE[verdict.decision], len(head), len(head) + len(verdict.decision))
        yield line
        yield from (Text(text) for text in rest)
    if len(judged) > _MOST_CHILDREN:
        yield Text(f"and {len(judged) - _MOST_CHILDREN} more runs", style="dim")
    verdict = judged[0][1]
    rule = verdict.rule
    if len(verdict.rules) > _MOST_RULES:
        rule = f"any of the {len(verdict.rules)} lines of refuted_if holds"
    yield from (Text(text, style="dim") for text in _wrapped(f"refuted if {rule}", width=width))


def claims_lines(studies: Mapping[str, Sequence[ChildResult]]) -> Iterator[Text]:
    """The verdicts of several studies, by name: a line each; nothing where none has `refuted_if`."""
    found = [_decisions(children) for children in studies.values()]
    total = sum(found, Counter[str]())
    if not any(total[word] for word in _STYLE):
        return
    yield Text()
    yield Text(f"Claims of {len(found)} specs: ", style="bold").append_text(_counted(total))
    wide = max(map(len, studies))
    for (name, children), counts in zip(studies.items(), found, strict=True):
        yield Text(f"  {name:<{wide}}  ").append_text(_counted(counts, numbers=len(children) > 1))


def _decisions(children: Sequence[ChildResult]) -> Counter[str]:
    """How often each word is said of a study's runs."""
    return Counter(
        "failed" if child.error else child.verdict.decision if child.verdict else "no rule"
        for child in children
    )


def _counted(counts: Mapping[str, int], *, numbers: bool = True) -> Text:
    """Such as `2 supported, 1 failed`; of a single run the word alone."""
    text = Text()
    for word in (*get_args(Decision), "no rule", "failed"):
        if counts.get(word):
            text.append(", " if text else "")
            text.append(f"{counts[word]} " if numbers else "")
            text.append(word, style=_STYLE.get(word, "dim"))
    return text


def _wrapped(text: str, *, width: int) -> list[str]:
    """Lines that fit the terminal; names of numbers stay whole."""
    return textwrap.wrap(
        text,
        width=max(width, 40),
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
