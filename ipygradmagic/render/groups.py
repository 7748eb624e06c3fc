"""The leaves that curves are drawn of: each by itself, or those of a module of a large model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ipygradmagic.render import words
from ipygradmagic.render.depth import MANY, in_depth
from ipygradmagic.render.paths import block, coarsest_needed
from ipygradmagic.render.timeline import Timeline


@dataclass(frozen=True)
class Groups:
    """The leaves of one trace that are asked for, in groups."""

    timeline: Timeline

    @cached_property
    def names(self) -> Mapping[int, str]:
        """Of the leaves, by id."""
        shown = self.timeline.shown
        return {
            t.id: t.name or words.unnamed(t.id)
            for t in self.timeline.trace.tensors
            if t.kind != "non-leaf" and not t.data and (shown is None or t.id in shown)
        }

    @cached_property
    def members(self) -> Mapping[str, set[int]]:
        """The leaves of each group, from the first layer to the last."""
        way = coarsest_needed(tuple(self.names.values()), (str, block), MANY)
        found: dict[str, set[int]] = {}
        last = len(self._order)
        for tensor, name in sorted(self.names.items(), key=lambda n: self._order.get(n[0], last)):
            found.setdefault(way(name), set()).add(tensor)
        return found if len(found) <= MANY else in_depth(found)

    @cached_property
    def of(self) -> Mapping[int, str]:
        """The group of each leaf."""
        return {tensor: group for group, some in self.members.items() for tensor in some}

    @cached_property
    def _order(self) -> Mapping[int, int]:
        """Places in the lists of the optimizers, which go from the first layer to the last."""
        optimizers = self.timeline.trace.optimizers
        listed = (t for o in optimizers for group in o.groups for t in group.tensors)
        return {tensor: place for place, tensor in enumerate(dict.fromkeys(listed))}

    def called(self, group: str, members: set[int]) -> str:
        """What to call a group of which these tensors took part."""
        if len(members) == 1:
            return words.short(self.names[min(members)])
        return f"{words.short(group)} ({words.tensors(len(members))})"
