"""The grammar of specs and registry entries as JSON Schema, for editors.

The kinds themselves are the reference: the schema is made from their fields. What only a kind's own check
knows (two keys that exclude each other) and what needs the whole spec (`of:`, layers) is not in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from polylens.analyses import NETWORK, RAW_INPUTS
from polylens.catalog import Catalog
from polylens.plugin import FAMILIES, Plugin, kinds, load_kind
from polylens.spec.experiment import KEYS, NAMED, OPTIONAL, SINGLE, Experiment, Heading
from polylens.spec.given import GIVEN

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[a-z0-9][a-z0-9_-]*$"
_FAMILY = "x-polylens-family"
_NULL: Schema = {"type": "null"}


_GIVEN: Schema = {
    "description": "Your own module, handed over from Python: polylens.run(SPEC, model=...).",
    "anyOf": [
        {"const": GIVEN},
        {
            "type": "object",
            "properties": {"kind": {"const": GIVEN}, "name": {"type": "string", "minLength": 1}},
            "required": ["kind"],
            "additionalProperties": False,
        },
    ],
}


def schemas(catalog: Catalog) -> dict[str, Schema]:
    """Every schema by its file name: one of specs, and one of each family's registry entries.

    Args:
        catalog: whose names specs can use.
    """
    definitions = _definitions(catalog)
    files = {"experiment.schema.json": _experiment()}
    for family in FAMILIES:
        files[f"{family}.schema.json"] = _entry(family)
    return {
        name: {**schema, "$defs": _reached_definitions(schema, definitions)} for name, schema in files.items()
    }


def _experiment() -> Schema:
    heading = _class_schema(Heading)["properties"]
    abouts = {name: field.description for name, field in Experiment.model_fields.items()}
    abouts["extends"] = "Another spec, relative to this one, that this one is laid over."
    abouts["sweep"] = (
        "Lists of values by dotted key: every combination is a run; lists under `zip` go together."
    )
    strict: Schema = {
        **heading,
        "layer": _layer(heading["layer"]),
        "extends": {"type": "string", "minLength": 1},
    }
    loose: Schema = {key: {"anyOf": [value, _NULL]} for key, value in strict.items()}
    for key, family in SINGLE.items():
        member = _reference(family.family)
        if key == "model":
            member = {"anyOf": [member, _GIVEN]}
        strict[key] = {"anyOf": [member, _NULL]} if key in OPTIONAL else member
        loose[key] = {"anyOf": [member, _CHANGES, _NULL]}
    for key, several in NAMED.items():
        member = _reference(several.family)
        strict[key] = _named_schema(key, member)
        loose[key] = _named_schema(key, {"anyOf": [member, _CHANGES, _NULL]}, least=0)
    strict["sweep"] = loose["sweep"] = _sweep()
    return {
        "$schema": _DIALECT,
        "title": "polylens experiment",
        "type": "object",
        "properties": {key: {"description": abouts.get(key) or ""} for key in KEYS},
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "then": {"properties": loose},
        "else": {
            "required": [key for key in KEYS if key not in OPTIONAL],
            "properties": strict,
        },
    }


def _entry(family: str) -> Schema:
    text = {"type": "string", "minLength": 1}
    return {
        "$schema": _DIALECT,
        "title": f"polylens registry entry: {family}",
        "type": "object",
        "properties": {
            "about": {**text, "description": "What it is."},
            "source": {**text, "description": "Where it is published or was first used."},
            "licence": {**text, "description": "The licence of what the entry names."},
            "entry": {**_written_out_schema(family), "description": "The kind, and its keys."},
        },
        "required": ["about", "source", "licence", "entry"],
        "additionalProperties": False,
    }


def _reached_definitions(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, Schema]:
    """The definitions that a schema refers to, directly or through others."""
    reached: dict[str, Schema] = {}
    open_ends = [schema]
    while open_ends:
        for name in _references(open_ends.pop()):
            if name not in reached:
                reached[name] = definitions[name]
                open_ends.append(definitions[name])
    return {name: reached[name] for name in definitions if name in reached}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        if isinstance(target := schema.get("$ref"), str):
            yield target.rpartition("/")[2]
        for item in schema.values():
            yield from _references(item)


def _definitions(catalog: Catalog) -> dict[str, Schema]:
    definitions: dict[str, Schema] = {}
    for family in FAMILIES:
        names = {name: catalog.entry(family, name).kind for name in catalog.names(family)}
        forms = [{"enum": list(names)}] if names else []
        forms.append(_written_out_schema(family))
        forms += [_use_schema(family, names)] if names else []
        definitions[family] = {"anyOf": forms}
        for kind in kinds(family):
            definitions[f"{family}.{kind}"] = _kind(family, kind)
            definitions[f"{family}.{kind}.changes"] = _changes(definitions[f"{family}.{kind}"])
    return definitions


def _written_out_schema(family: str) -> Schema:
    return {
        "type": "object",
        "properties": {"kind": {"enum": list(kinds(family))}},
        "required": ["kind"],
        "allOf": [
            {"if": {"properties": {"kind": {"const": kind}}}, "then": _reference(f"{family}.{kind}")}
            for kind in kinds(family)
        ],
    }


def _use_schema(family: str, names: Mapping[str, str]) -> Schema:
    return {
        "type": "object",
        "properties": {"use": {"enum": list(names)}},
        "required": ["use"],
        "allOf": [
            {"if": {"properties": {"use": {"const": name}}}, "then": _reference(f"{family}.{kind}.changes")}
            for name, kind in names.items()
        ],
    }


def _kind(family: str, kind: str) -> Schema:
    cls = load_kind(family, kind)
    schema = _class_schema(cls)
    properties = {"kind": {"const": kind}, **schema.get("properties", {})}
    return {
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": ["kind", *schema.get("required", [])],
        "additionalProperties": False,
    }


def _changes(kind: Schema) -> Schema:
    """A kind's keys as they stand beside `use`: none is required, and null takes one out."""
    properties = {key: value for key, value in kind["properties"].items() if key != "kind"}
    return {
        "description": kind["description"],
        "type": "object",
        "properties": {
            "use": True,
            **{key: {"anyOf": [_loosen(value), _NULL]} for key, value in properties.items()},
        },
        "additionalProperties": False,
    }


def _loosen(schema: Any) -> Any:
    """A copy of the schema in which no key is required, at any depth."""
    if isinstance(schema, list):
        return [_loosen(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _loosen(value) for key, value in schema.items() if key != "required"}


_CHANGES: Schema = {"type": "object", "properties": {"kind": False, "use": False}}
"""A map laid over one that another file writes out."""


def _layer(name: Schema) -> Schema:
    several = {"type": "array", "items": name, "minItems": 1, "uniqueItems": True}
    return {"anyOf": [name, several]}


def _named_schema(key: str, member: Schema, *, least: int = 1) -> Schema:
    reserved = [NETWORK, RAW_INPUTS, "time"]
    by_name: Schema = {
        "type": "object",
        "propertyNames": {"pattern": _NAME, "not": {"enum": reserved}},
        "additionalProperties": member,
    }
    if key == "analyses":
        return {**by_name, "minProperties": least}
    forms = [by_name, _NULL]
    if key == "controls":
        forms.insert(0, {"type": "array", "items": member})
    return {"anyOf": forms}


def _sweep() -> Schema:
    values = {"type": "array", "minItems": 1, "uniqueItems": True}
    lists = {"type": "object", "minProperties": 1, "additionalProperties": values}
    together = {**lists, "description": "Lists of one length whose values go together."}
    return {"anyOf": [{**lists, "properties": {"zip": together}}, _NULL]}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


class _Generator(GenerateJsonSchema):
    """Pydantic's schema with a mark where a family's class is a field type."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        cls = schema["cls"]
        if issubclass(cls, Plugin) and inspect.isabstract(cls):
            return {_FAMILY: cls.family}
        return super().model_schema(schema)


def _class_schema(cls: type[BaseModel]) -> Schema:
    """The schema of one class with nothing referred to but families."""
    schema = cls.model_json_schema(schema_generator=_Generator)
    inlined = _inline(schema, schema.pop("$defs", {}))
    assert isinstance(inlined, dict)
    return inlined


def _inline(schema: Any, definitions: Mapping[str, Schema]) -> Any:
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if _FAMILY in schema:
        return _reference(str(schema[_FAMILY]))
    if "$ref" in schema:
        target = definitions[str(schema["$ref"]).rpartition("/")[2]]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _inline({**target, **beside}, definitions)
    return {
        key: _inline(value, definitions)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and key != "discriminator"
    }
