"""What jobs of a cluster are given: the section `jobs` of `mlflow.yaml`, and `--job KEY=VALUE` over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from polylens.errors import SpecError, UsageError, nearest
from polylens.reading import read_value

_OPTIONS = "options."


def _as_text(value: object) -> object:
    return str(value) if type(value) is int else value


Duration = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(pattern=r"^(\d+-\d{1,2}:\d{2}:\d{2}|\d{1,3}:\d{2}:\d{2}|[1-9]\d*)$"),
]
"""Minutes, `HH:MM:SS` or `D-HH:MM:SS`."""


class Jobs(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """What `polylens run --launcher slurm` asks the cluster for; what is empty is left to the cluster."""

    partition: str = ""
    """Queue that jobs wait in, such as `gpu`."""
    account: str = ""
    """Whom the time is charged to."""
    qos: str = ""
    """Quality of service."""
    constraint: str = ""
    """Features that machines must have, such as `a100`."""
    time: Duration = "01:00:00"
    """Longest time of one job: minutes, `HH:MM:SS` or `D-HH:MM:SS`. A job that reaches it is put back into
    the queue and goes on, up to `requeues` times."""
    gpus_per_node: Annotated[int, Field(ge=0)] = 0
    """GPUs a machine."""
    cpus_per_task: Annotated[int | None, Field(ge=1)] = None
    """Processor cores a job."""
    mem: Annotated[str, Field(pattern=r"^(\d+[KMGT]?)?$")] = ""
    """Memory a machine, such as `32G`."""
    at_once: Annotated[int | None, Field(ge=1)] = None
    """Jobs of one spec that run at the same time. Without it: all that the cluster allows, and one of
    `--launcher local`."""
    requeues: Annotated[int, Field(ge=0)] = 3
    """How often a job that reached its time is put back into the queue."""
    setup: list[str] = []
    """Lines of shell before the job, such as `module load cuda`."""
    options: dict[str, str | int] = {}
    """Further options of sbatch by their long names, such as `reservation: workshop`."""

    @property
    def minutes(self) -> int:
        """The longest time in minutes, rounded up.

        >>> Jobs(time="90").minutes, Jobs(time="01:30:30").minutes, Jobs(time="1-00:00:00").minutes
        (90, 91, 1440)
        """
        if self.time.isdecimal():
            return int(self.time)
        days, _, clock = self.time.rpartition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        return (24 * int(days or 0) + hours) * 60 + minutes + (seconds > 0)

    def with_asked(self, assignments: Sequence[str]) -> Jobs:
        """These settings with what the command line says in their place.

        Args:
            assignments: each `KEY=VALUE`, or `options.NAME=VALUE`.

        Raises:
            UsageError: a key is not known or its value does not fit.
        """
        asked: dict[str, Any] = self.model_dump()
        for text in assignments:
            key, equals, written = text.partition("=")
            is_known = key in Jobs.model_fields or key.startswith(_OPTIONS)
            if not equals or not is_known:
                known = sorted(Jobs.model_fields)
                near = nearest(key, known)
                meant = f"; did you mean '{near}'?" if near and near != key else ""
                message = f"--job {text}: no such key{meant}" if equals else f"--job {text}: no value"
                raise UsageError(message, hint=f"KEY=VALUE with one of: {', '.join(known)}")
            value = _value(key, written)
            if key.startswith(_OPTIONS):
                asked["options"] = {**asked["options"], key.removeprefix(_OPTIONS): value}
            else:
                asked[key] = value
        try:
            return Jobs.model_validate(asked)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise UsageError(f"--job {key}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error


def _value(key: str, written: str) -> Any:
    """A value as YAML reads it; of keys that hold text the text itself, so that `time=90` needs no quotes."""
    if key in Jobs.model_fields and Jobs.model_fields[key].annotation is str:
        return written
    try:
        return read_value(written, line=f"{key}={written}", column=len(key) + 2).value
    except SpecError as error:
        raise UsageError(f"--job {key}={written}: {error}") from error
