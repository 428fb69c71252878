"""The base of all kinds: one final, frozen class in one file, whose fields are its YAML keys.

A family is a folder of this package; a kind is a file in it (`sampling/evenly_spaced.py` is
`{kind: evenly_spaced}`), or a folder of its name where it has more to it than the class
(`analyses/slice/__init__.py` is `{kind: slice}`), or an entry point of the group `polylens.<family>`. What
starts with an underscore is shared by kinds, and is none. Kinds are listed by name, without importing them;
only the chosen one is loaded.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, model_validator
from pydantic_core import PydanticCustomError

from polylens.errors import UsageError, nearest, shown_path
from polylens.records import CLASS

FAMILIES = ("models", "datasets", "sampling", "codes", "controls", "analyses", "labels", "scores", "judges")
"""The plugin families, named as their folders in the package and in the registry."""

T = TypeVar("T")


def _once_each(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, none of which stands twice under the name that tables and metrics have for it."""
    names = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    for at, name in enumerate(names):
        before = values[names.index(name)]
        if names.index(name) < at:
            if before == values[at]:
                raise PydanticCustomError("twice", "'{name}' stands twice", {"name": name})
            both = f"{before} and {values[at]} are both called '{name}'"
            raise PydanticCustomError("one_name", "{both}", {"both": both})
    return values


OnceEach = Annotated[
    tuple[T, ...], AfterValidator(_once_each), Field(json_schema_extra={"uniqueItems": True})
]
"""Keys with a list of what is looked at one by one, so that twice the same would count twice."""


class Plugin(BaseModel):
    """Base of every kind. Subclasses are frozen, forbid unknown keys, and never keep fitted state."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    family: ClassVar[str] = ""
    """Which family the kind belongs to; set by the family's abstract class."""
    version: ClassVar[int] = 1
    """Raised when the results change for the same fields, so that stored ones are not mistaken for new."""
    memory_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that change how much memory is taken and no result: a digest hears of their defaults instead."""

    later_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that came after results were stored: at their default a digest does not hear of them."""

    @classmethod
    def kind(cls) -> str:
        """The kind's name in YAML: the name of its file or folder."""
        return cls.__module__.rpartition(".")[2]

    def to_plain(self) -> dict[str, Any]:
        """The plugin as plain data with `kind` first: what YAML would say with every default written out."""
        fields = {name: _plain(getattr(self, name)) for name in type(self).model_fields}
        return {"kind": self.kind(), **fields}

    def identity(self) -> dict[str, Any]:
        """What a digest sees: the plain data, the kind's version, and nothing that cannot change a number."""
        defaults = {name: _plain(type(self).model_fields[name].default) for name in self.memory_fields}
        plain = self.to_plain()
        for name in self.later_fields:
            if plain[name] == _plain(type(self).model_fields[name].default):
                del plain[name]
        return {**plain, **defaults, "version": self.version}

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Chooses the kind where a field only names a family; takes `kind` out before fields are checked."""
        if isinstance(value, Plugin) or not isinstance(value, dict):
            return handler(value)
        if _is_family(cls):
            if "kind" not in value:
                known = ", ".join(kinds(cls.family))
                raise PydanticCustomError(
                    "kind_missing", "a 'kind' is needed here; known: {known}", {"known": known}
                )
            try:
                chosen = load_kind(cls.family, str(value["kind"]))
            except UnknownKindError as error:
                details = {"name": error.name, "family": error.family, "message": str(error)}
                raise PydanticCustomError("kind_unknown", "{message}", details) from None
            return cast(Self, chosen.model_validate(value))
        if value.get("kind") == cls.kind():
            value = {key: item for key, item in value.items() if key != "kind"}
        return handler({key: _tuples(item) for key, item in value.items()})


class RowReader(Plugin):
    """Base of families whose kinds read rows: analyses and labels."""

    asks: ClassVar[frozenset[str]] = frozenset()
    """Which of `classes` and `tokens` rows must have: a spec is checked for a dataset that carries them."""

    def named_targets(self) -> str | None:
        """Which named targets stand in place of the examples' classes; None where none do."""
        name = getattr(self, "targets", CLASS)
        return None if name == CLASS else str(name)

    def asked(self) -> frozenset[str]:
        """`asks`, without classes of examples where named targets stand in their place."""
        return self.asks if self.named_targets() is None else self.asks - {"classes"}


class UnknownKindError(LookupError):
    """No file, no folder and no entry point gives this kind."""

    def __init__(self, family: str, name: str) -> None:
        self.family = family
        self.name = name
        self.known = kinds(family)
        self.suggestion = nearest(name, self.known)
        super().__init__(f"no kind '{name}' in {family}")

    @property
    def packages_in_words(self) -> str:
        """Which other packages were looked in, for whoever misses a kind of one that is not installed."""
        if not packages():
            return "no other package here gives kinds"
        return f"other packages that give kinds: {', '.join(map(str, packages()))}"


@dataclass(frozen=True)
class Package:
    """Another package that is installed here and gives kinds."""

    name: str
    version: str
    modules: frozenset[str]
    """The top modules that its kinds lie in."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@cache
def kinds(family: str) -> tuple[str, ...]:
    """Names of all kinds of a family, from files, folders and entry points, without importing any of them.

    >>> "evenly_spaced" in kinds("sampling")
    True
    """
    folder = Path(__file__).parent / family
    built_in = {name for _, name, _ in pkgutil.iter_modules([str(folder)]) if not name.startswith("_")}
    return tuple(sorted(built_in | {point.name for point in _entry_points()[family]}))


def load_kind(family: str, name: str) -> type[Plugin]:
    """The class of one kind.

    Raises:
        UnknownKindError: no such kind; carries the nearest name and the known list.
        UsageError: another package names it, and it cannot be had from there.
    """
    if source_of(family, name) is not None:
        module = importlib.import_module(f"polylens.{family}.{name}")
        cls = _plugin_of(module.__name__, vars(module))
        if inspect.isabstract(cls):
            raise TypeError(f"{module.__name__} lacks {_unfinished(cls)}")
        return cls
    for point in _entry_points()[family]:
        if point.name == name:
            return _plugin_at(point, family)
    raise UnknownKindError(family, name)


def _plugin_at(point: EntryPoint, family: str) -> type[Plugin]:
    """The class that an entry point of another package leads to."""
    package = "a package" if point.dist is None else f"the package '{point.dist.name}'"
    hint = "mend the entry point in its pyproject.toml and install it again; docs/guide/kinds.md shows one"
    try:
        cls = point.load()
    except Exception as error:  # whatever the package's own code raises
        said = f"{type(error).__name__}: {error}"
        message = f"{package} names a kind '{point.name}' of {family} at {point.value}, which fails: {said}"
        where = _raised_in(error, point.module.partition(".")[0])
        raise UsageError(message, hint=hint if where is None else f"mend {where}") from error
    if not (isinstance(cls, type) and issubclass(cls, Plugin)) or cls.kind() != point.name:
        # A kind is named by its file here and everywhere else, so that YAML written back reads again.
        message = (
            f"{package} names a kind '{point.name}' of {family} at {point.value}, which is no kind's class "
            f"in a file or a folder named {point.name}"
        )
        raise UsageError(message, hint=hint)
    if inspect.isabstract(cls):
        message = f"the kind '{point.name}' of {family}, of {package}, lacks {_unfinished(cls)}"
        file = shown_path(Path(inspect.getsourcefile(cls) or cls.__module__))
        raise UsageError(message, hint=f"write it in {file}; docs/guide/kinds.md shows one")
    return cls


def _unfinished(cls: type[Plugin]) -> str:
    """The methods that a class must have and has not, in words."""
    lacking = sorted(getattr(cls, "__abstractmethods__", ()))
    return f"the method{'s' * (len(lacking) != 1)} {', '.join(f'`{name}`' for name in lacking)}"


def _raised_in(error: Exception, module: str) -> str | None:
    """File and line in a package that its own code fails at; None where the entry point leads nowhere."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{shown_path(Path(error.filename))}:{error.lineno}"
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] == module:
            return f"{shown_path(Path(frame.f_code.co_filename))}:{line}"
    return None


def source_of(family: str, name: str) -> Path | None:
    """The file of a kind that polylens ships; None where there is none, or another package gives the kind."""
    if name.startswith("_"):
        return None
    folder = Path(__file__).parent / family
    return next(
        (file for file in (folder / f"{name}.py", folder / name / "__init__.py") if file.is_file()), None
    )


@cache
def packages() -> tuple[Package, ...]:
    """The other packages that give kinds of any family, by name."""
    versions: dict[str, str] = {}
    modules: dict[str, set[str]] = {}
    for family in FAMILIES:
        for point in _entry_points()[family]:
            name, version = _package_of(point)
            versions[name] = version
            modules.setdefault(name, set()).add(point.module.partition(".")[0])
    return tuple(Package(name, versions[name], frozenset(modules[name])) for name in sorted(versions))


def kinds_of_packages() -> tuple[tuple[str, str], ...]:
    """Family and name of every kind that another package gives."""
    return tuple((family, point.name) for family in FAMILIES for point in _entry_points()[family])


def packages_in(value: Any) -> dict[str, str]:
    """The other packages whose kinds a value holds at any depth, and their versions."""
    modules = {kind.__module__.partition(".")[0] for kind in _kinds_in(value)}
    return {package.name: package.version for package in packages() if package.modules & modules}


def _kinds_in(value: Any) -> Iterator[type[Plugin]]:
    if isinstance(value, Plugin):
        yield type(value)
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _kinds_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _kinds_in(item)
    elif isinstance(value, dict):
        yield from _kinds_in(tuple(value.values()))


def _package_of(point: EntryPoint) -> tuple[str, str]:
    """Name and version of the package that an entry point is of; the module's where it has no metadata."""
    if point.dist is None:
        return point.module.partition(".")[0], ""
    return point.dist.name, point.dist.version


@cache
def _entry_points() -> dict[str, tuple[EntryPoint, ...]]:
    """Those of each family: to ask once is enough, as it reads the metadata of all that is installed."""
    every = entry_points()
    return {family: tuple(every.select(group=f"polylens.{family}")) for family in FAMILIES}


def _plugin_of(module: str, names: dict[str, Any]) -> type[Plugin]:
    classes = [
        item
        for item in names.values()
        if isinstance(item, type) and issubclass(item, Plugin) and item.__module__ == module
    ]
    if len(classes) != 1:
        raise TypeError(f"{module} must define exactly one plugin class, found {len(classes)}")
    return classes[0]


def _is_family(cls: type[Plugin]) -> bool:
    """Whether `cls` is a family's abstract class, which stands for any of its kinds."""
    return inspect.isabstract(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Plugin):
        return value.to_plain()
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _tuples(value: Any) -> Any:
    """YAML lists become tuples, which strict validation of frozen fields asks for."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
