"""Variants that a second process walks while the first walks others: the same stages in the same store."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from polylens.devices import Options, compute_on, probing_device
from polylens.imports import lightning
from polylens.progress import Silent
from polylens.store import Store
from polylens.study.ahead import Ahead
from polylens.study.performing import StageReport
from polylens.study.plans import ChildPlan
from polylens.study.stages import are_stored
from polylens.study.walk import Walk, Workshop
from polylens.work import Judging

Reports = tuple[StageReport, ...]


class Beside:
    """The variants of one child that were given away, the last first; each is taken back or waited for.

    Only networks that are trained here are given away: they are small, and hold torch to few threads, where
    a published one fills every core by itself. The store keeps two processes from doing one stage at once,
    and what a stage gives does not depend on who does it. What fails in the second process is done here
    again, and fails here for all to see.
    """

    def __init__(self, plan: ChildPlan, workshop: Workshop) -> None:
        self._workshop = workshop
        self._training: Future[Reports] | None = None
        self._walks: dict[int, Future[Reports]] = {}
        if not is_given_away(plan, workshop.options):
            return
        child = workshop.plans.index(plan)
        lacking = [
            n for n, variant in enumerate(plan.variants) if not are_stored(variant.stages(), workshop.store)
        ]
        if not lacking or probing_device() != "cpu":
            return
        if 0 in lacking:
            self._training = self._ask(child, 0, only_train=True)
        workshop.ahead.rehearse(workshop.plans, workshop.store)
        # The first variant is walked here, and the others in their order, until the two processes meet.
        for number in sorted(set(lacking) - {0}, reverse=True):
            self._walks[number] = self._ask(child, number)

    def training_reports(self) -> Reports:
        """Waits for the training of the spec's own network, where it was given away and has begun."""
        if self._training is None:
            return ()
        if self._training.running():
            lightning()  # imported here meanwhile: the harvest comes next
        return self._result(self._training)

    def variant_reports(self, number: int) -> Reports:
        """What became of the stages of a variant that was walked beside; nothing where it was not begun."""
        asked = self._walks.get(number)
        return () if asked is None else self._result(asked)

    def give_up(self) -> None:
        """Takes back what was not begun: the child has ended, well or not."""
        for asked in self._walks.values():
            asked.cancel()

    def _ask(self, child: int, variant: int, *, only_train: bool = False) -> Future[Reports]:
        workshop = self._workshop
        return workshop.ahead.companion.ahead(
            _walk,
            workshop.plans,
            child,
            variant,
            store=workshop.store.root,
            root=workshop.root,
            options=workshop.options,
            judging=workshop.judging,
            only_train=only_train,
        )

    def _result(self, asked: Future[Reports]) -> Reports:
        return self._workshop.ahead.companion.result(asked, lambda: ())


def is_given_away(plan: ChildPlan, options: Options) -> bool:
    """Whether a child's variants are given away, where the second process has a core and no GPU is used."""
    return plan.train_examples is not None and not options.is_distributed


def _walk(
    plans: Sequence[ChildPlan],
    child: int,
    variant: int,
    *,
    store: Path,
    root: Path,
    options: Options,
    judging: Judging,
    only_train: bool,
) -> Reports:
    """Walks one variant of one child, in the second process."""
    walk = Walk(plans[child], Workshop(Store(store), root, options, Silent(), plans, Ahead(), judging))
    chosen = plans[child].variants[variant]
    with compute_on(options.accelerator):
        if only_train:
            walk.learning.train(chosen)
        else:
            walk.walk(chosen)
    return tuple(walk.performer.reports.values())
