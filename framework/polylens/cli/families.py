"""Families and kinds as they are named on the command line, and what is said where there are none."""

from __future__ import annotations

from polylens.errors import UsageError, nearest
from polylens.plugin import FAMILIES, UnknownKindError


def check_family(family: str, *, rest: str = "", also: tuple[str, ...] = ()) -> None:
    """Refuses a family that does not exist.

    Args:
        family: as it was written.
        rest: what was written behind it, so that the whole can be suggested.
        also: other words that could have been meant.

    Raises:
        UsageError: there is no such family; says which is nearest.
    """
    if family in FAMILIES:
        return
    known = (*FAMILIES, *also)
    near = nearest(family, known)
    hint = f"did you mean '{near}{rest}'? " if near else ""
    raise UsageError(f"no family '{family}'", hint=f"{hint}families: {', '.join(known)}")


def split_target(target: str) -> tuple[str, str]:
    """Family and name in `FAMILY/NAME`.

    Raises:
        UsageError: not of this form, or no such family.
    """
    family, slash, name = target.partition("/")
    if not slash or not name:
        raise UsageError(
            f"'{target}' is not FAMILY/NAME", hint="for example models/mlp; `polylens ls` lists all"
        )
    check_family(family, rest=f"/{name}")
    return family, name


def no_kind(error: UnknownKindError) -> UsageError:
    """The error of a kind that does not exist, with the nearest name and all that do."""
    near = f"did you mean '{error.suggestion}'? " if error.suggestion else ""
    hint = f"{near}kinds: {', '.join(error.known)}\n  {error.packages_in_words}"
    return UsageError(f"no kind '{error.name}' in {error.family}", hint=hint)
