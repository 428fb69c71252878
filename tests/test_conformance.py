"""What every kind of every family promises, whoever wrote it."""

from __future__ import annotations

import pytest

from polylens.catalog import Catalog, broken_promises, heavy_imports, kind_page, kind_summary, shipped_folder
from polylens.catalog.starting import example
from polylens.plugin import FAMILIES, Plugin, kinds, load_kind

EVERY_KIND = [
    pytest.param(family, kind, id=f"{family}-{kind}") for family in FAMILIES for kind in kinds(family)
]


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


def test_there_are_kinds_in_every_family() -> None:
    assert all(kinds(family) for family in FAMILIES)


@pytest.mark.parametrize(("family", "kind"), EVERY_KIND)
def test_the_kind_keeps_to_what_every_kind_promises(family: str, kind: str) -> None:
    assert broken_promises(family, kind) == ()
    assert load_kind(family, kind).kind() == kind
    assert kind_page(family, kind).summary == kind_summary(family, kind)


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
    assert heavy_imports([(family, kind) for family in FAMILIES for kind in kinds(family)]) == {}
