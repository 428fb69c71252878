"""The page of a past run made anew, with what people have said since."""

from __future__ import annotations

from polylens.devices import Options
from polylens.errors import PolylensError
from polylens.progress import Silent
from polylens.spec import loads
from polylens.store import Store
from polylens.study.drawing import Drawing
from polylens.study.pages import write_report
from polylens.study.past import PastRun
from polylens.study.planning import plan_study
from polylens.study.results import results_of
from polylens.study.stages import are_stored
from polylens.study.walk import Walk, Workshop


def page_with_people(run: PastRun) -> str | None:
    """The run's page as it looks now; None where its stages are not those that its spec has now.

    Nothing is computed again: a run of another version, of data that have changed, or of several layers in
    one study is left as it is, and `polylens run` of its spec makes its page.

    Args:
        run: a finished run.
    """
    settings, options = run.settings, Options()
    limit = run.params.get("limit")
    try:
        study = loads(dict(run.spec), start=settings.project)
        plans = plan_study(
            study,
            settings=settings,
            options=options,
            limit=None if limit is None else int(limit),
            progress=Silent(),
        )
    except PolylensError:
        return None
    (plan,), store = plans, Store(settings.store)
    stages = plan.stages()
    if {stage.name: stage.digest for stage in stages} != dict(run.provenance.get("stages", {})):
        return None
    if not are_stored(stages, store):
        return None
    walk = Walk(plan, Workshop(store, settings.project, options, Silent(), plans))
    drawing = Drawing(walk)
    return write_report(drawing, results_of(walk)).read_text(encoding="utf-8")
