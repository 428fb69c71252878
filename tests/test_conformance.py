"""What every kind of every family promises, whoever wrote it."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from polylens.catalog import Catalog, kind_page, kind_summary, shipped_folder
from polylens.catalog.starting import example
from polylens.plugin import FAMILIES, Plugin, kinds, load_kind

EVERY_KIND = [
    pytest.param(family, kind, id=f"{family}-{kind}") for family in FAMILIES for kind in kinds(family)
]
HEAVY = ("torch", "torchvision", "sklearn", "mlflow", "matplotlib", "pytorch_lightning", "pandas", "scipy")


def smallest(family: str, kind: str) -> Plugin:
    """The kind with nothing but its required keys."""
    cls = load_kind(family, kind)
    required = {name: example(field) for name, field in cls.model_fields.items() if field.is_required()}
    return cls.model_validate({"kind": kind, **required})


def shipped(family: str, kind: str) -> list[Plugin]:
    """The kind as registry entries write it."""
    registry = shipped_folder("registry")
    assert registry is not None
    catalog = Catalog.around(registry)
    entries = [catalog.entry(family, name) for name in catalog.names(family)]
    return [load_kind(family, kind).model_validate(entry.fields) for entry in entries if entry.kind == kind]


def blocks(cls: type[BaseModel]) -> list[type[BaseModel]]:
    """The class and every class of nested keys in it."""
    found = [cls]
    for field in cls.model_fields.values():
        for option in _options(field.annotation):
            if inspect.isclass(option) and issubclass(option, BaseModel) and not issubclass(option, Plugin):
                found += blocks(option)
    return found


def _options(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [annotation] if not inner else [option for argument in inner for option in _options(argument)]


def test_there_are_kinds_in_every_family() -> None:
    assert all(kinds(family) for family in FAMILIES)


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_the_kind_is_one_final_frozen_class_named_by_its_file(family: str, kind: str) -> None:
    cls = load_kind(family, kind)
    assert cls.kind() == kind
    assert cls.family == family
    assert not inspect.isabstract(cls)
    assert cls.__subclasses__() == []
    assert inspect.isabstract(cls.__mro__[1]), "a kind stands directly under its family's class"
    assert cls.model_config.get("frozen") is True
    assert cls.model_config.get("extra") == "forbid"


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_the_kind_and_every_key_of_it_are_explained(family: str, kind: str) -> None:
    cls = load_kind(family, kind)
    assert kind_page(family, kind).summary.endswith((".", ":"))
    assert kind_page(family, kind).summary == kind_summary(family, kind)
    for block in blocks(cls):
        for name, field in block.model_fields.items():
            assert field.description, f"{block.__name__}.{name} has no sentence"
            assert len(field.description.split()) >= 2


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_the_kind_survives_being_written_down(family: str, kind: str) -> None:
    for plugin in [smallest(family, kind), *shipped(family, kind)]:
        plain = plugin.to_plain()
        assert next(iter(plain)) == "kind"
        base = type(plugin).__mro__[1]
        assert issubclass(base, Plugin)
        again = base.model_validate(plain)
        assert again == plugin
        assert again.to_plain() == plain
        assert again.identity() == plugin.identity()


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_the_kind_forbids_unknown_keys_and_changes(family: str, kind: str) -> None:
    plugin = smallest(family, kind)
    with pytest.raises(ValueError, match="no_such_key"):
        type(plugin).model_validate({**plugin.to_plain(), "no_such_key": 1})
    for name in type(plugin).model_fields:
        with pytest.raises(ValueError, match="frozen"):
            setattr(plugin, name, None)


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_the_digest_of_a_kind_hears_of_its_version(
    family: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = smallest(family, kind)
    before = plugin.identity()
    monkeypatch.setattr(type(plugin), "version", type(plugin).version + 1)
    assert plugin.identity() != before


@pytest.mark.parametrize("kind", ["crossing_density", "path_density"])
def test_no_digest_of_a_kind_hears_of_what_only_memory_depends_on(kind: str) -> None:
    plugin = smallest("analyses", kind)
    assert plugin.memory_fields
    for name in plugin.memory_fields:
        larger = plugin.model_copy(update={name: getattr(plugin, name) * 2})
        assert larger.to_plain() != plugin.to_plain()
        assert larger.identity() == plugin.identity()
        # As before fields were left out: what is stored with the default is still met.
        assert plugin.identity()[name] == type(plugin).model_fields[name].default


def test_no_kind_imports_anything_heavy() -> None:
    program = (
        "import sys\n"
        "from polylens.plugin import FAMILIES, kinds, load_kind\n"
        f"heavy = {HEAVY!r}\n"
        "for family in FAMILIES:\n"
        "    for kind in kinds(family):\n"
        "        load_kind(family, kind)\n"
        "        found = [name for name in heavy if name in sys.modules]\n"
        "        assert not found, (family, kind, found)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
