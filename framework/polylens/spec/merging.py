"""Laying one tree over another: extended files, overrides, sweep points and registry entries follow one rule.

Maps are merged key by key, everything else is replaced. A changed `kind` or `use` (or a bare name) replaces
the whole map, since keys of one kind mean nothing to another. `null` removes the key it is laid on.
"""

from __future__ import annotations

from typing import cast

from omegaconf import OmegaConf

from polylens.spec.ledger import MARK, Ledger, Tree


def merge(base: Tree, over: Tree, *, ledger: Ledger) -> Tree:
    """`over` laid on `base`; neither is changed."""
    kept, laid = _settle(base, over, ledger)
    # Only what both sides have is handed over: an override of one key must not cost a copy of the whole spec.
    both = {key: kept[key] for key, item in laid.items() if isinstance(item, dict) and key in kept}
    shared = OmegaConf.merge(OmegaConf.create(both), OmegaConf.create({key: laid[key] for key in both}))
    return {**kept, **laid, **cast(Tree, OmegaConf.to_container(shared))}


def _settle(base: Tree, over: Tree, ledger: Ledger) -> tuple[Tree, Tree]:
    """Both trees with every replacement and removal done: a plain deep merge is what is left to do."""
    kept: Tree = dict(base)
    laid: Tree = {}
    for key, new in over.items():
        old = base.get(key)
        if old is None or key == MARK:
            laid[key] = new
        elif isinstance(new, int):
            if ledger[new].value is None:
                del kept[key]
            else:
                kept[key] = new
        else:
            opened = ledger.use_map(old) if isinstance(old, int) and ledger.text(old) is not None else old
            if isinstance(opened, int) or _replaces(opened, new, ledger):
                kept[key] = new
            else:
                kept[key], laid[key] = _settle(opened, new, ledger)
    return kept, laid


def _replaces(old: Tree, new: Tree, ledger: Ledger) -> bool:
    marked_list = MARK in new and "list" in (ledger.shape(old), ledger.shape(new))
    named = _name(new, ledger)
    return marked_list or (named != () and named != _name(old, ledger))


def _name(tree: Tree, ledger: Ledger) -> tuple[tuple[str, str | None], ...]:
    """What a map says it is: its `kind` and `use`."""
    return tuple((key, ledger.text(tree[key])) for key in ("kind", "use") if key in tree)
