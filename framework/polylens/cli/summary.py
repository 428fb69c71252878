"""The readable end of `polylens run`: its numbers, its labels, and where to look for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from polylens.cli.columns import in_columns
from polylens.cli.comparisons import table_of_comparisons
from polylens.cli.numbers import cell, in_lines, table_of_one, table_of_several
from polylens.cli.verdicts import claims_lines, verdict_lines
from polylens.errors import shown_path
from polylens.records import LabelRecord, Labels
from polylens.study.people.walked import people_of_walk
from polylens.study.study_results import ChildResult, StudyResult

_LEAST_LABEL_LINES, _MOST_LABEL_LINES = 3, 6
_MOST_REPORTS = 4
_LONGEST_LABEL = 28


def show_result(result: StudyResult, *, name: str, console: Console | None = None) -> None:
    """Prints one study, on about one screen: the table of its numbers, its labels, where the rest is.

    Args:
        result: what came of it.
        name: the study's name, with which its children's names start.
        console: where to print it; the output if not given.
    """
    console = console or Console()
    width, ascii_only = console.width, console.options.ascii_only
    done = [child for child in result.children if child.error is None]
    lines = [Text(), _heading(result, name)]
    if len(done) == 1:
        lines += table_of_one(done[0], width=width, ascii_only=ascii_only)
        lines += table_of_comparisons(done[0].results, width=width, ascii_only=ascii_only)
        for label, labels in done[0].labels.items():
            room = (console.height - len(lines)) // len(done[0].labels) if console.is_terminal else 99
            lines += [Text(), *_labels(label, labels, width=width, room=room)]
        for people in people_of_walk(done[0].walk):
            lines += [Text(), *in_lines((people.in_words,), width=width)]
    elif done:
        lines += table_of_several(
            done,
            study=name,
            width=width,
            ascii_only=ascii_only,
            is_logged=not (result.unlogged or result.settings.is_scratch),
        )
    lines += verdict_lines(done, study=name, width=width)
    for line in (*lines, *_where(result)):
        console.print(line, soft_wrap=True)


def show_claims(studies: Mapping[str, Sequence[ChildResult]], *, console: Console | None = None) -> None:
    """Prints the verdicts of several studies side by side.

    Args:
        studies: runs of each, by the name it goes by.
        console: where to print them; the output if not given.
    """
    console = console or Console()
    for line in claims_lines(studies):
        console.print(line, soft_wrap=True)


def _heading(result: StudyResult, name: str) -> Text:
    """What was run, and how much of it was computed."""
    children = result.children
    several = len(children) > 1
    failed = f" ({len(result.failed)} failed)" if several and result.failed else ""
    text = Text(name if several else children[0].name, style="bold")
    text.append(
        f": {len(children)} runs{failed}" if several else f", layer {children[0].layer}", style="not bold"
    )
    stages = [stage for child in children for stage in child.stages]
    counts = {word: sum(stage.status == word for stage in stages) for word in ("ran", "stored", "failed")}
    seconds = sum(stage.seconds for stage in stages if stage.status == "ran")
    parts = [f"{count} {word}" for word, count in counts.items() if count]
    parts = [f"{part} in {seconds:.1f} s" if part.endswith("ran") else part for part in parts]
    did = "all stored, nothing computed" if counts["stored"] == len(stages) else ", ".join(parts)
    return text.append(f"; {len(stages)} stage{'s' * (len(stages) != 1)}: {did}", style="not bold")


def _labels(name: str, labels: Labels, *, width: int, room: int) -> Iterator[Text]:
    """Each cluster's label, its rows, and the share of its held-out rows that the label fits."""
    named = sum(entry.named for entry in labels.clusters)
    mixed = sum(entry.above_chance and not entry.named for entry in labels.clusters)
    line = Text(name, style="bold")
    if labels.written:
        yield from _written(line, labels.written, width=width, room=room)
        return
    if not labels.clusters:
        yield line.append(": there are no clusters to label", style="not bold")
        return
    text = f": {named} of {len(labels.clusters)} clusters have a name that most of their held-out rows fit"
    if mixed:
        text += f"; {mixed} more {'is' if mixed == 1 else 'are'} above chance without a majority"
    yield line.append(text, style="not bold")
    longest = max(len(entry.text) for entry in labels.clusters)
    widest = min(max(longest, len("label")), _LONGEST_LABEL)
    cells = [
        f"{entry.cluster:>4}  {_cut(entry.text, widest):<{widest}} {entry.size:>6,} "
        f"{cell(entry.share, beside=1.0):>6}"
        for entry in labels.clusters
    ]
    title = f"{'no.':>4}  {'label':<{widest}} {'rows':>6} {'share':>6}"
    most_lines = min(max(room, _LEAST_LABEL_LINES), _MOST_LABEL_LINES)
    yield from in_columns(cells, width=width, most_lines=most_lines, title=title)


def _written(line: Text, records: Sequence[LabelRecord], *, width: int, room: int) -> Iterator[Text]:
    """Each cluster's label in words, and how many meanings its writer sees."""
    texts = sum(bool(each.text) for each in records)
    yield line.append(f": {texts} of {len(records)} clusters have a label in words", style="not bold")
    widest = min(max(len(each.text or each.outcome) for each in records), _LONGEST_LABEL)
    cells = [
        f"{each.cluster:>4}  {_cut(each.text or each.outcome, widest):<{widest}} {each.meanings:>8}"
        for each in records
    ]
    title = f"{'no.':>4}  {'label':<{widest}} {'meanings':>8}"
    most_lines = min(max(room, _LEAST_LABEL_LINES), _MOST_LABEL_LINES)
    yield from in_columns(cells, width=width, most_lines=most_lines, title=title)


def _where(result: StudyResult) -> Iterator[Text]:
    """Lines that say where the reports, MLflow's page and the store are."""
    reports = [
        ("Report" if child.error is None else "Report of what was finished", child.report)
        for child in result.children
        if child.report is not None
    ]
    if not reports:
        return
    yield Text()
    for what, report in reports[:_MOST_REPORTS]:
        yield Text(f"{what}: {shown_path(report)}")
    if len(reports) > _MOST_REPORTS:
        where = "" if result.unlogged or result.settings.is_scratch else ", each with its run in MLflow"
        yield Text(f"and {len(reports) - _MOST_REPORTS} more reports{where}")
    if result.unlogged:
        return
    if result.settings.is_scratch:
        yield Text("Scratch: nothing is in MLflow; the same command without --scratch logs it")
    elif result.settings.tracking_is_server:
        yield Text(f"Logged to {result.settings.tracking_shown}")
    else:
        yield Text("All runs, tables and figures: polylens ui")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
