"""Names that a spec gives to controls, analyses and labels: they become names of metrics and tables."""

from __future__ import annotations

import re
from collections.abc import Collection

from polylens.errors import Problem
from polylens.spec.expanding import display_name
from polylens.spec.ledger import MARK, Ledger, Tree, Value, dotted_path, items_of

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TAKEN = ("code", "time")
"""`code/` holds how good a proxy the code is, `time/` how long each stage took."""


def name_problems(tree: Tree, *, key: str, reserved: Collection[str], ledger: Ledger) -> list[Problem]:
    """What is wrong with the names under `controls`, `analyses`, `labels` or `scores`."""
    problems = []
    for name, value in items_of(tree):
        place = ledger.place(value, key=True)
        path = dotted_path((key, name))
        if not _NAME.fullmatch(name):
            spelled = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_-")
            notes = ("names become metrics: lower-case letters, digits, _ and -, no other character",)
            problems.append(
                Problem(f"'{name}' cannot be a name in {key}", place, path, spelled or None, notes)
            )
        elif name in (*reserved, *_TAKEN):
            note = "numbers are logged under this name, and it is taken; choose another"
            problems.append(Problem(f"the name '{name}' cannot be used in {key}", place, path, None, (note,)))
    return problems


def control_names(value: Value, *, ledger: Ledger) -> tuple[Value, list[Problem]]:
    """Controls written as a list, as a map from their names; a map is left as it is.

    A control in a list is called by its registry name, or else by its kind.
    """
    if isinstance(value, int) or ledger.shape(value) != "list":
        if isinstance(value, int):
            note = "for example controls: [random_init]"
            problem = Problem("controls must be a list, or a map from names", ledger.place(value), "controls")
            return value, [Problem(problem.message, problem.place, "controls", None, (note,))]
        return value, []
    mark = {key: item for key, item in value.items() if key == MARK}
    named: Tree = {}
    problems = []
    for index, item in items_of(value):
        name = display_name(item, ledger=ledger) or index
        if name in named:
            place = ledger.place(item)
            notes = (f"name them: controls: {{{name}: ..., {name}_2: ...}}",)
            problems.append(
                Problem(
                    f"two controls are called '{name}'", place, dotted_path(("controls", index)), None, notes
                )
            )
        else:
            named[name] = item
    marks = {key: ledger.as_map(token) for key, token in mark.items() if isinstance(token, int)}
    return {**marks, **named}, problems
