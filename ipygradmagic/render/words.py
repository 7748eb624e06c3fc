"""Words for what the record says in numbers and codes: names, holdings, events, plurals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import reduce

from ipygradmagic.language import mark, ntr, ptr, tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.render.numbers import count

MOST_NAME = 60
MOST_CODE = 160
NOT_FOLLOWED = mark("by a way that is not followed")
"""The label of an edit that was found afterwards."""


def clean(text: str, most: int = 4000) -> str:
    """Make any text safe to show on one line: controls are spelt out, length is bounded."""
    shown = text if len(text) <= most else text[: most - most // 3] + "…" + text[-(most // 3) :]
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else _spelt(c) for c in shown)


def _spelt(character: str) -> str:
    if character in "\u200d\ufe0f":  # joins emoji into one; harmless
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def prose(text: str) -> str:
    """A sentence of ours or of PyTorch's: line breaks become spaces."""
    return clean(" ".join(text.split()))


def opening(text: str) -> str:
    """The first sentence."""
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(text.split()), maxsplit=1)[0]
    return clean(first)


def block(text: str) -> str:
    """Code of several lines: every line is made safe, and the line breaks stay."""
    return "\n".join(clean(line.replace("\t", "    ")) for line in text.splitlines())


def short(name: str) -> str:
    """A name, shortened in the middle so that it fits a table."""
    return clean(name, MOST_NAME)


def code(text: str) -> str:
    """One source line, shortened."""
    return clean(text.strip(), MOST_CODE)


def tensors(n: int) -> str:
    """``1 tensor``, ``3 tensors``."""
    return ntr("{n:,} tensor", "{n:,} tensors", n)


def passes(n: int) -> str:
    """``1 backward pass``, ``3 backward passes``."""
    return ntr("{n:,} backward pass", "{n:,} backward passes", n)


def more_tensors(n: int) -> str:
    """``1 more tensor``, ``3 more tensors``."""
    return ntr("{n:,} more tensor", "{n:,} more tensors", n)


def more_findings(n: int) -> str:
    """``1 more finding``, ``3 more findings``."""
    return ntr("{n:,} more finding", "{n:,} more findings", n)


def unnamed(tensor_id: int) -> str:
    """What to call a tensor that has no name."""
    return tr("tensor {number}", number=tensor_id)


def commas(some: Iterable[str]) -> str:
    """``w, b``: a comma between names; Chinese has another one for them."""
    return ptr("between names", ", ").join(some)


def phrases(some: Iterable[str]) -> str:
    """``all zero, used``: a comma between what is said of one thing."""
    return ptr("between phrases", ", ").join(some)


def clauses(some: Iterable[str]) -> str:
    """``w: used; b: fresh``: a semicolon between what is said of several things."""
    return ptr("between clauses", "; ").join(some)


def sentences(some: Iterable[str]) -> str:
    """One after another, with a blank between them where the language has one there."""
    return reduce(lambda one, other: tr("{one} {other}", one=one, other=other), some)


def either(some: Iterable[str]) -> str:
    """``clipped or scaled``."""
    return reduce(lambda one, other: tr("{one} or {other}", one=one, other=other), some)


def listed(names: Iterable[str], most: int = 6) -> str:
    """``a, b, c and 5 more``."""
    shown = [short(n) for n in names]
    if len(shown) <= most:
        return commas(shown)
    more = count(len(shown) - most)
    return tr("{names} and {more} more", names=commas(shown[:most]), more=more)


def tensor_name(info: TensorInfo | None, tensor_id: int = 0) -> str:
    """What to call a tensor; says which one if several had the name."""
    if info is None:
        return unnamed(tensor_id)
    name = short(info.name or unnamed(info.id))
    if info.generations <= 1:
        return name
    return tr("{name} (generation {number})", name=name, number=count(info.generation))


def place(where: SourceLocation | None) -> str:
    """``In [3], line 7``."""
    if where is None:
        return ""
    return clean(tr("{home}, line {line}", home=home(where), line=where.line), MOST_NAME)


def home(where: SourceLocation) -> str:
    """``In [3]``, ``train.py``: the cell or file that a line is in."""
    return clean(where.cell or where.file.replace("\\", "/").rsplit("/", 1)[-1], MOST_NAME)


def spot(where: SourceLocation) -> str:
    """Where, and in which function if in one."""
    inside = where.function and not where.function.startswith("<")
    if not inside:
        return place(where)
    return tr("{place}, in {function}", place=place(where), function=short(where.function))


def holds_words(holds: Holds | None) -> str:
    """What a gradient holds: ``empty``, ``backward #1…#4, 3 already used (stale)``."""
    if holds is None:
        return tr("not known")
    if not holds.count and not holds.unknown:
        return tr("empty")
    text = " + ".join(_earlier(holds) + _mine(holds)) or tr("a gradient set by hand")
    extra = []
    if holds.stale:
        extra.append(tr("{number} already used (stale)", number=count(holds.stale)))
    elif holds.used:
        part = tr("{number} used", number=count(holds.used))
        extra.append(tr("used") if holds.used >= holds.count else part)
    if holds.note:
        extra.append(by_hand(holds))
    return phrases([text, *extra])


BY_HAND = (
    mark("scaled"),
    mark("unscaled"),
    mark("clipped"),
    mark("clamped"),
    mark("edited"),
    mark("added"),
    mark("gathered"),
    mark("replaced"),
    mark("cleared"),
    mark("assigned by hand"),
)
"""What can have been done to a gradient: the notes of the ledger."""


def by_hand(holds: Holds) -> str:
    """What was done to it."""
    return tr(holds.note) if holds.note in BY_HAND else clean(holds.note)


def _earlier(holds: Holds) -> list[str]:
    known = holds.earlier - holds.unknown
    words = []
    if known > 0:
        origin = place(holds.origin)
        source = tr("from {place}", place=origin) if origin else tr("from before this cell")
        words.append(_of_several(source, known) if known > 1 else source)
    if holds.unknown:
        words.append(tr("of unknown origin"))
    return words


def _of_several(source: str, n: int) -> str:
    return ntr("{source} ({n:,} contribution)", "{source} ({n:,} contributions)", n, source=source)


def _mine(holds: Holds) -> list[str]:
    n = holds.count - holds.earlier
    if n <= 0 or not holds.first:
        return []
    if holds.first == holds.last:
        return [f"backward #{count(holds.first)}"]
    span = f"backward #{count(holds.first)}…#{count(holds.last)}"
    return [span if holds.stale else _of_several(span, n)]


def event_call(event: Event) -> str:
    """The call in API words, where the kind does not already say it."""
    label, actor = clean(_label(event), MOST_NAME), short(event.actor or "")
    if event.kind == "backward":
        return "" if label in ("", "backward") else label
    if not actor or actor in label:
        return "" if label == event.kind else label
    return f"{actor}: {label}" if label else actor


def _label(event: Event) -> str:
    return tr(NOT_FOLLOWED) if event.label == NOT_FOLLOWED else event.label


def event_remarks(event: Event) -> list[str]:
    """What else there is to say about an event, a phrase each."""
    remarks = []
    if event.continues is not None:
        said = tr(
            "continues event {number}: a step ran inside that backward",
            number=count(event.continues),
        )
        remarks.append(said)
    if event.inside:
        remarks.append(tr("inside {name}", name=short(event.inside)))
    if event.via:
        remarks.append(tr("via {name}", name=short(event.via)))
    if event.kind in ("update", "rebind") and event.source == "unknown":
        remarks.append(tr("update of unknown source"))
    if event.kind in ("update", "rebind") and event.source == "other":
        remarks.append(tr("not computed from a gradient"))
    return remarks


def matches(info: TensorInfo, patterns: Iterable[str]) -> bool:
    """Is the tensor asked for, by name or shell-style pattern?"""
    names = (info.name, *info.aliases)
    return any(n == p or fnmatchcase(n, p) for p in patterns for n in names)


def unmatched(infos: Iterable[TensorInfo], patterns: Iterable[str]) -> list[str]:
    """A sentence for each pattern that fits no tensor, with the names that exist."""
    known = list(infos)
    names = list(dict.fromkeys(t.name for t in known))
    have = tr("No tensor here requires grad.")
    if names:
        have = tr("The names are: {names}.", names=listed(names, 12))
    missing = [p for p in patterns if not any(matches(t, (p,)) for t in known)]
    unknown = [tr("No tensor is called “{name}”.", name=short(p)) for p in missing]
    return [sentences((said, have)) for said in unknown]
