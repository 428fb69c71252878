"""`python -m polylens.harvest.worker JOB.json`: one process of a harvest on several.

Lightning starts the further processes of a machine by running this program again, so nothing here may be done
once only. What happens is told to the parent as lines of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from polylens.devices import is_out_of_memory
from polylens.errors import PolylensError

_LONGEST = 3000
"""Characters of a message; lines this short reach the pipe in one piece, whichever process writes them."""


def main(arguments: list[str]) -> int:
    """Does one process' part of the job; gives the exit code."""
    # Before the imports, which take seconds in which the parent may end.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    except PolylensError as error:
        _tell({"error": type(error).__name__, "message": error.message[:_LONGEST], "hint": error.hint})
        return 1
    except BaseException as error:
        hint = (
            "give every process less at once by a smaller --batch-size" if is_out_of_memory(error) else None
        )
        _tell({"error": "", "message": f"{type(error).__name__}: {error}"[:_LONGEST], "hint": hint})
        raise
    return 0


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
        advance=lambda n_examples: _tell({"advance": n_examples}),
    )


def _tell(message: dict[str, Any]) -> None:
    os.write(1, (json.dumps(message) + "\n").encode())


def _end_with_parent() -> None:
    """Ends this process when the harvest's parent is gone, however it ended.

    The parent holds the other end of standard input, which all processes of a machine inherit, and is silent.
    """
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
