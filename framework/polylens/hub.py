"""What the Hugging Face hub answers, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Literal

from polylens.errors import DataError

_CARD = "README.md"
"""A file that most repositories have; that one has none is an answer as well."""


def troubles() -> tuple[type[BaseException], ...]:
    """Errors by which huggingface_hub says that something cannot be had."""
    from huggingface_hub.errors import HfHubHTTPError

    # Those of its connections are of the HTTP library that it happens to use.
    connection = next(kind for kind in HfHubHTTPError.__mro__ if kind.__name__ == "HTTPError")
    return (OSError, connection)


def ask(name: str, *, what: Literal["model", "dataset"], revision: str) -> None:
    """Asks the hub once, without patience, whether it would give a model or a dataset.

    Raises:
        Exception: one of `troubles`, which says why not.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise OfflineModeIsEnabled
    with suppress(EntryNotFoundError):
        get_hf_file_metadata(hf_hub_url(name, _CARD, repo_type=what, revision=revision))


def not_had(
    name: str, *, what: Literal["model", "dataset"], revision: str, files: Sequence[str], error: BaseException
) -> DataError:
    """What keeps a model or a dataset from being had of the hub, and what to do about it.

    Args:
        name: as the hub has it, such as `openai-community/gpt2`.
        what: which of the two it is.
        revision: the commit.
        files: names or patterns of the files that are needed; none for all of them.
        error: of huggingface_hub, or of a library that calls it.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    page = f"{constants.ENDPOINT}/{'datasets/' if what == 'dataset' else ''}{name}"
    login = "log in with `hf auth login` or set HF_TOKEN"
    found = list(_causes(error))
    kinds = tuple(type(one) for one in found)
    if _any(kinds, GatedRepoError):
        return DataError(
            f"{name} is gated: its owner wants terms to be accepted first",
            hint=f"accept them at {page}, then {login}",
        )
    if _any(kinds, RevisionNotFoundError):
        return DataError(
            f"{name} has no revision {revision}", hint=f"commits are listed at {page}/commits/main"
        )
    if _any(kinds, DisabledRepoError):
        return DataError(f"the hub has closed the {what} {name}", hint=f"{page} may say why")
    if _any(kinds, RepositoryNotFoundError):
        return DataError(
            f"the hub has no {what} '{name}', or only shows it to those who are logged in",
            hint=f"check the name; for a private {what} {login}",
        )
    answered = next((one for one in found if isinstance(one, HfHubHTTPError)), None)
    if constants.HF_HUB_OFFLINE or _any(kinds, OfflineModeIsEnabled):
        reason = "HF_HUB_OFFLINE is set"
    elif answered is not None:
        reason = f"the hub refuses it: {_first_line(answered)}"
    else:
        reason = f"the hub cannot be reached: {_first_line(found[-1])}"
    return DataError(
        f"{name} at revision {revision[:8]} is not on this machine, and {reason}",
        hint=_download(name, what=what, revision=revision, files=files),
    )


def _download(name: str, *, what: Literal["model", "dataset"], revision: str, files: Sequence[str]) -> str:
    wanted = [f"--include '{pattern}'" for pattern in files]
    kind = ["--repo-type dataset"] if what == "dataset" else []
    command = " ".join(["hf download", name, *kind, f"--revision {revision}", *wanted])
    instead = (
        "add --local-dir FOLDER and give that folder as `source`, without `revision`"
        if what == "model"
        else "add --local-dir FOLDER and read the files there with `kind: text_table`"
    )
    return (
        f"where there is a network: {command}\n"
        f"  then copy the cache here (HF_HOME names its folder), or {instead}"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _any(kinds: Sequence[type[BaseException]], wanted: type[BaseException]) -> bool:
    return any(issubclass(kind, wanted) for kind in kinds)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
