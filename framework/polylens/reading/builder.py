"""Builds nodes from the parser's events and gathers what is wrong on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import yaml

from polylens.errors import Place, Problem
from polylens.reading.document import Node, Scalar
from polylens.reading.scalars import scalar
from polylens.reading.syntax import syntax_problem

_UNREADABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Control characters, and the exotic line breaks that YAML 1.1 and 1.2 read differently."""
_DEEPEST = 40
"""Levels of nesting; specs have about five."""


class Builder:
    """One pass over one text."""

    def __init__(self, text: str, *, file: str, quoted: str | None = None) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.block_style = False
        self.end_column = 0
        self._text = text
        self._lines = re.split("\r\n|\r|\n", text)
        self._quoted = quoted

    def start(self) -> Place:
        """The first character of the file."""
        return self._place(0, 0)

    def refuse(self, message: str, place: Place, *notes: str, suggestion: str | None = None) -> None:
        """Notes one problem and goes on reading."""
        self.problems.append(Problem(message, place, suggestion=suggestion, notes=notes))

    def document(self) -> Node | None:
        """The only document of the text; None where there is none."""
        if not self._characters_are_plain():
            return None
        root = None
        try:
            events = yaml.parse(self._text, Loader=yaml.BaseLoader)
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent):
                    if event.version or event.tags:
                        self.refuse("directives (lines that start with %) are not allowed", self._at(event))
                    if root is not None:
                        self.refuse("a file holds one document; a second one starts here", self._at(event))
                        break
                    root = self._node(next(events), events, depth=0)
        except yaml.MarkedYAMLError as error:
            self.problems.extend(syntax_problem(error, lines=self._lines, place=self._place))
        except RecursionError:
            self.refuse(f"nested more than {_DEEPEST} levels deep", self.start())
        return root

    def _characters_are_plain(self) -> bool:
        if self._text.startswith("\ufeff"):
            self.refuse("the file starts with a byte order mark; save it as UTF-8 without one", self.start())
            self._text = self._text[1:]
            self._lines[0] = self._lines[0][1:]
        has_unreadable = False
        for number, line in enumerate(self._lines):
            for match in _UNREADABLE.finditer(line):
                has_unreadable = True
                self.refuse(f"unreadable character U+{ord(match[0]):04X}", self._place(number, match.start()))
        return not has_unreadable

    def _node(
        self, event: yaml.Event, events: Iterator[yaml.Event], *, depth: int, key: Place | None = None
    ) -> Node:
        if depth > _DEEPEST:
            raise RecursionError
        place = self._at(event)
        self._refuse_properties(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            self.block_style |= not event.flow_style
            while not isinstance(following := next(events), yaml.SequenceEndEvent):
                items.append(self._node(following, events, depth=depth + 1))
            return Node(items, self._place_of_span(event, following), key)
        if isinstance(event, yaml.MappingStartEvent):
            self.block_style |= not event.flow_style
            entries, end = self._entries(events, depth=depth)
            return Node(entries, self._place_of_span(event, end), key)
        self._note_end(event)
        return Node(self._scalar(event, place), place, key)

    def _entries(self, events: Iterator[yaml.Event], *, depth: int) -> tuple[dict[str, Node], yaml.Event]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key_node = self._node(event, events, depth=depth + 1)
            name = self._key(key_node, event)
            node = self._node(next(events), events, depth=depth + 1, key=key_node.place)
            if name is None:
                continue
            if name in entries:
                first = entries[name].key
                where = f"line {first.line}" if first is not None else "above"
                self.refuse(f"the key '{name}' is already given in {where}", key_node.place)
            else:
                entries[name] = node
        return entries, event

    def _key(self, node: Node, event: yaml.Event) -> str | None:
        plain = isinstance(event, yaml.ScalarEvent) and event.style is None
        if plain and cast(yaml.ScalarEvent, event).value == "<<":
            self.refuse("merge keys (<<) are not allowed; use `extends`, or write the values out", node.place)
        elif isinstance(node.value, (dict, list)):
            self.refuse("a key must be a name", node.place)
        elif node.value is None or node.value == "":
            self.refuse("a key cannot be empty", node.place)
        elif not isinstance(node.value, str):
            self.refuse("a key must be a name; quote it if this text is meant", node.place)
        else:
            return node.value
        return None

    def _scalar(self, event: yaml.Event, place: Place) -> Scalar:
        if not isinstance(event, yaml.ScalarEvent):
            return None
        if event.style is not None:
            return event.value
        try:
            return scalar(event.value)
        except ValueError as error:
            self.refuse(str(error), place)
            return None

    def _refuse_properties(self, event: yaml.Event, place: Place) -> None:
        if isinstance(event, yaml.AliasEvent):
            self.refuse(f"aliases (*{event.anchor}) are not allowed; write the value out", place)
            return
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self.refuse(f"tags ({shown}) are not allowed; a spec is plain data", place)
        if anchor is not None:
            self.refuse(f"anchors (&{anchor}) are not allowed; write the value out where it is used", place)

    def _note_end(self, event: yaml.Event) -> None:
        if event.end_mark is not None:
            self.end_column = max(self.end_column, event.end_mark.column)

    def _at(self, event: yaml.Event) -> Place:
        return self._span(event.start_mark, event.end_mark)

    def _place_of_span(self, first: yaml.Event, last: yaml.Event) -> Place:
        flow = bool(getattr(first, "flow_style", False))
        self._note_end(last)
        end = last.end_mark if flow else None
        return self._span(first.start_mark, end)

    def _span(self, start: Any, end: Any) -> Place:
        if end is not None and end.line == start.line:
            return self._place(start.line, start.column, length=end.column - start.column)
        rest = self._lines[start.line][start.column :].rstrip() if start.line < len(self._lines) else ""
        return self._place(start.line, start.column, length=len(rest))

    def _place(self, line: int, column: int, *, length: int = 1) -> Place:
        text = self._lines[line] if line < len(self._lines) else ""
        if self._quoted is not None:
            text = self._quoted
        return Place(file=self.file, line=line + 1, column=column + 1, text=text, length=max(length, 1))
