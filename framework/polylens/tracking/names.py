"""Names and texts in the form that every MLflow store accepts."""

from __future__ import annotations

import re

from polylens.digests import digest

_LONGEST = 250
_NOT_IN_KEYS = re.compile(r"[^\w\-. :/]")
_NOT_IN_FILES = re.compile(r"[^\w\-.]")


def key_name(name: str) -> str:
    """The name as a metric or param key; one that had to be changed ends in its digest, so none are mixed up.

    >>> key_name("quality/purity.random_init")
    'quality/purity.random_init'
    >>> key_name("purity@5")
    'purity_5-e5423a'
    """
    # MLflow refuses what would be another path as a file: doubled slashes, `.`, and `..` at the start.
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    path = "/".join(parts)
    return _with_mark(name, _NOT_IN_KEYS.sub("_", path.lstrip("./") if path.startswith("..") else path))


def file_name(name: str) -> str:
    """The name as a path of artifacts: folders stay, every other special character becomes `_`.

    >>> file_name("clusters/sizes"), file_name("../etc")
    ('clusters/sizes', 'etc-7881f3')
    """
    parts = [_NOT_IN_FILES.sub("_", part).lstrip(".") for part in name.split("/")]
    return _with_mark(name, "/".join(part[:80] for part in parts if part))


def text(value: str) -> str:
    """The text without what databases refuse: NUL characters and lone surrogates.

    >>> text("a" + chr(0) + "b")
    'a\ufffdb'
    """
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def cut(value: str, *, longest: int, rest: str) -> str:
    """The text, cut where it is too long, with `rest` telling where the whole is.

    >>> cut("abcdefgh", longest=6, rest="...")
    'abc...'
    """
    return value if len(value) <= longest else value[: longest - len(rest)] + rest


def _with_mark(original: str, changed: str) -> str:
    if changed == original and 0 < len(original) <= _LONGEST:
        return changed
    mark = digest(text(original))[:6]
    return f"{changed[: _LONGEST - 7]}-{mark}" if changed else f"unnamed-{mark}"
