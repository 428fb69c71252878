"""What every kind of every family promises, whoever wrote it: read off its class; nothing is computed."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from polylens.catalog.starting import example
from polylens.plugin import Plugin, load_kind

HEAVY = ("torch", "torchvision", "sklearn", "mlflow", "matplotlib", "pytorch_lightning", "pandas", "scipy")
"""Libraries that take long to import: kinds do so in their methods, so that checking a spec stays light."""
_LISTING = """
import json, sys
from polylens.plugin import load_kind
heavy, found = json.loads(sys.argv[1]), {}
for family, kind in json.loads(sys.argv[2]):
    load_kind(family, kind)
    found[f"{family}/{kind}"] = [name for name in heavy if name in sys.modules]
    heavy = [name for name in heavy if name not in sys.modules]
print(json.dumps(found))
"""


def broken_promises(family: str, kind: str) -> tuple[str, ...]:
    """What a kind does not keep to, a sentence each; none where all is well.

    Its class is final, frozen, stands directly under a class of its family and forbids unknown keys; class
    and fields have a sentence; it survives being written down; its digest hears of its `version`.

    >>> broken_promises("sampling", "evenly_spaced")
    ()

    Raises:
        UnknownKindError: no such kind.
        UsageError: another package names it, and it cannot be had from there.
    """
    cls = load_kind(family, kind)
    return (*_of_the_class(cls, family), *_of_its_sentences(cls), *_of_its_values(cls, kind))


def heavy_imports(kinds: Sequence[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """What is imported with each kind's file that takes long, by `family/kind`; found in a fresh process.

    A library is told at the first kind that imports it.

    Args:
        kinds: family and name of each.
    """
    done = subprocess.run(
        [sys.executable, "-c", _LISTING, json.dumps(HEAVY), json.dumps([list(each) for each in kinds])],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return {name: tuple(modules) for name, modules in found.items() if modules}


def _of_the_class(cls: type[Plugin], family: str) -> Iterator[str]:
    if cls.family != family:
        yield f"its class is of the family {cls.family or 'of none'}, and it is named as one of {family}"
    if cls.__subclasses__():
        yield f"{cls.__subclasses__()[0].__name__} derives from it; a kind's class is final"
    if not inspect.isabstract(cls.__mro__[1]):
        yield f"it derives from {cls.__mro__[1].__name__}, a kind; it stands under a class of its family"
    if cls.model_config.get("frozen") is not True:
        yield "its class is not frozen"
    if cls.model_config.get("extra") != "forbid":
        yield "its class does not forbid unknown keys"


def _of_its_sentences(cls: type[Plugin]) -> Iterator[str]:
    about = inspect.cleandoc(cls.__doc__ or "") if "__doc__" in vars(cls) else ""
    if not about.partition("\n\n")[0].rstrip().endswith((".", ":")):
        yield f"{cls.__name__} has no docstring that begins with a sentence"
    for block in key_classes(cls):
        for name, field in block.model_fields.items():
            if len((field.description or "").split()) < 2:
                yield f"the field {block.__name__}.{name} has no sentence under it"


def _of_its_values(cls: type[Plugin], kind: str) -> Iterator[str]:
    required = {name: example(field) for name, field in cls.model_fields.items() if field.is_required()}
    try:
        plugin = cls.model_validate({"kind": kind, **required})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        yield (
            f"the plainest value of the required key '{key}' is not valid ({first['msg']}); give one: "
            "Field(examples=[...])"
        )
        return
    plain = plugin.to_plain()
    again = cls.model_validate(plain)
    if again != plugin or again.to_plain() != plain or again.identity() != plugin.identity():
        yield "what it is does not survive `to_plain` and back"
    if plugin.identity().get("version") != plugin.version:
        yield "its `identity` does not hear of its `version`"


def key_classes(cls: type[BaseModel]) -> list[type[BaseModel]]:
    """A kind's class, and every class of the maps of keys in it."""
    found = [cls]
    for field in cls.model_fields.values():
        for option in _options(field.annotation):
            if inspect.isclass(option) and issubclass(option, BaseModel) and not issubclass(option, Plugin):
                found += key_classes(option)
    return found


def _options(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [annotation] if not inner else [option for argument in inner for option in _options(argument)]
