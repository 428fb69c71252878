"""What comes before a study is walked: its layers, checks of this machine, the store, a second process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from polylens.devices import Options, compute_on
from polylens.memory import for_good
from polylens.progress import Progress
from polylens.settings import Settings
from polylens.spec import Experiment, Study
from polylens.store import Store, in_use
from polylens.study.ahead import Ahead
from polylens.study.beside import is_given_away
from polylens.study.plans import ChildPlan
from polylens.study.stages import are_stored
from polylens.study.walk import Elsewhere, Workshop
from polylens.work import Judging

ANSWERS = "answers"
"""Folder of the store that keeps what judges answered."""


def with_known_layers(study: Study) -> Study:
    """The study with every pattern of layers replaced by the layers it fits.

    Raises:
        SpecError: a pattern fits no layer.
    """
    return study.with_layers(_layer_names)


@contextmanager
def open_workshop(
    study: Study,
    plans: Sequence[ChildPlan],
    *,
    walked: Sequence[ChildPlan],
    settings: Settings,
    options: Options,
    progress: Progress,
    tracker: str | None = None,
    elsewhere: Mapping[str, Elsewhere] | None = None,
) -> Iterator[Workshop]:
    """Everything that walks of a study work with, checked first; the store is in use until the block ends.

    Args:
        study: the spec that was read.
        plans: of all its children.
        walked: the plans of those that will be walked here, which must be able to.
        settings: the project's.
        options: devices, precision, batch size.
        progress: where the work shows itself.
        tracker: the address of the runs that will refer to the store; None where no run will.
        elsewhere: what became of children that jobs walked.

    Raises:
        SpecError: a layer does not exist, or a code or a sampling rule does not fit it.
        UsageError: this machine lacks what the options ask for.
    """
    store = Store(settings.store)
    with Ahead() as ahead, compute_on(options.accelerator):
        if not all(_is_harvested(plan, store) for plan in walked):
            if any(is_given_away(plan, options) for plan in walked):
                ahead.warm_up()  # while this process imports the same
            with for_good():
                from polylens.study.checking import check_deep, check_inputs

            options.check_here()
            check_deep(study)
            check_inputs(study, walked)
        store.prepare()
        judging = Judging(settings.judges, settings.store / ANSWERS, settings.project)
        with in_use(settings.store, tracker=tracker):
            yield Workshop(store, settings.project, options, progress, plans, ahead, judging, elsewhere or {})


def _layer_names(experiment: Experiment) -> tuple[str, ...]:
    # Building a network imports torch, which a run that finds everything stored can do without.
    from polylens.study.checking import layer_names

    return layer_names(experiment)


def _is_harvested(plan: ChildPlan, store: Store) -> bool:
    takes = [planned.stage for variant in plan.variants for planned in variant.takes.values()]
    return are_stored(takes, store)
