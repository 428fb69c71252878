"""`python -m polylens.harvest.worker JOB.json`: one process of a harvest on several.

Lightning starts the further processes of a machine by running this program again, so nothing here may be done
once only.
"""

from __future__ import annotations

import sys
from typing import Any

from polylens.leaving import leave_with
from polylens.workers.telling import do_part, tell


def _work(plain: dict[str, Any]) -> None:
    from polylens.assembly import assemble, open_examples
    from polylens.harvest.job import Job
    from polylens.harvest.predicting import predict_shards
    from polylens.harvest.resolved import resolve_takes
    from polylens.store import Store

    job = Job.from_plain(plain)
    store = Store(job.store)
    examples = open_examples(job.recipe, root=job.root, cache=store.root / "seen")
    network = assemble(job.recipe, examples, store=store, root=job.root)
    predict_shards(
        network,
        examples,
        resolve_takes(network, examples, job.takes),
        missing=job.missing,
        folders=job.folders,
        streams=job.streams,
        options=job.options,
        advance=lambda n_examples: tell({"advance": n_examples}),
    )


if __name__ == "__main__":
    leave_with(do_part(_work, sys.argv[1:]))
