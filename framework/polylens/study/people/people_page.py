"""The page of a past run made anew, with what people have said since."""

from __future__ import annotations

from polylens.devices import Options
from polylens.errors import PolylensError
from polylens.progress import Silent
from polylens.spec import loads
from polylens.store import Store
from polylens.study.drawing import Drawing
from polylens.study.opened_examples import OpenedExamples
from polylens.study.pages import write_report
from polylens.study.past import PastRun
from polylens.study.planning import plan_child, with_data_located
from polylens.study.plans import ChildPlan
from polylens.study.recognising import Recognition
from polylens.study.results import results_of
from polylens.study.stages import are_stored
from polylens.study.walk import Walk, Workshop


def page_with_people(run: PastRun) -> str | None:
    """The run's page as it looks now; None where its stages are not those that its spec has now.

    Nothing is computed again: a run of another version, of data that have changed, or of a sweep over more
    than layers is left as it is, and `polylens run` of its spec makes its page.

    Args:
        run: a finished run.
    """
    settings, store = run.settings, Store(run.settings.store)
    swept = run.name.split()[1:] if run.logged.parent_id is not None else []
    if not all(part.startswith(("layer=", "limit=")) for part in swept):
        return None  # what was swept stands in the page's title
    try:
        plan = _planned(run, store)
    except PolylensError:
        return None
    stages = plan.stages()
    if {stage.name: stage.digest for stage in stages} != dict(run.provenance.get("stages", {})):
        return None
    if not are_stored(stages, store):
        return None
    walk = Walk(plan, Workshop(store, settings.project, Options(), Silent(), (plan,)))
    return write_report(Drawing(walk), results_of(walk)).read_text(encoding="utf-8")


def _planned(run: PastRun, store: Store) -> ChildPlan:
    """The stages of the run's spec as they would be planned now."""
    settings, limit = run.settings, run.params.get("limit")
    (child,) = loads(dict(run.spec), start=settings.project).children
    return plan_child(
        with_data_located(child, settings),
        root=settings.project,
        opened=OpenedExamples(settings, Silent()),
        recognition=Recognition(store),
        options=Options(),
        limit=None if limit is None else int(limit),
        layers=_n_layers(run, store),
    )


def _n_layers(run: PastRun, store: Store) -> int:
    """How many layers were looked at, this one counted: labels are named on the level of all."""
    for name in run.label_kinds:
        digest = run.provenance.get("stages", {}).get(name, "")
        if digest and store.has("labels", digest):
            among = store.manifest("labels", digest).about["identity"]["among"]
            return int(among) // len(run.spec["labels"])
    return 1
