"""Words for what the record says in numbers and codes: names, holdings, events, plurals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from ipygradmagic.record.events import Event
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.render.numbers import count

MOST_NAME = 60
MOST_CODE = 160


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


def plural(n: int, word: str, words: str = "") -> str:
    """``1 tensor``, ``3 tensors``."""
    return f"{count(n)} {word if n == 1 else words or word + 's'}"


def listed(names: Iterable[str], most: int = 6) -> str:
    """``a, b, c and 5 more``."""
    shown = [short(n) for n in names]
    if len(shown) <= most:
        return ", ".join(shown)
    return ", ".join(shown[:most]) + f" and {count(len(shown) - most)} more"


def tensor_name(info: TensorInfo | None, tensor_id: int = 0) -> str:
    """What to call a tensor; says which one if several had the name."""
    if info is None:
        return f"tensor {tensor_id}"
    name = short(info.name or f"tensor {info.id}")
    return name if info.generations <= 1 else f"{name} (generation {count(info.generation)})"


def place(where: SourceLocation | None) -> str:
    """``In [3], line 7``."""
    return clean(where.place, MOST_NAME) if where else ""


def spot(where: SourceLocation) -> str:
    """Where, and in which function if in one."""
    inside = where.function and not where.function.startswith("<")
    return place(where) + (f", in {short(where.function)}" if inside else "")


def holds_words(holds: Holds | None) -> str:
    """What a gradient holds: ``empty``, ``backward #1…#4, 3 already used (stale)``."""
    if holds is None:
        return "not known"
    if not holds.count and not holds.unknown:
        return "empty"
    text = " + ".join(_earlier(holds) + _mine(holds)) or "a gradient set by hand"
    extra = []
    if holds.stale:
        extra.append(f"{count(holds.stale)} already used (stale)")
    elif holds.used:
        extra.append("used" if holds.used >= holds.count else f"{count(holds.used)} used")
    if holds.note:
        extra.append(clean(holds.note))
    return ", ".join([text, *extra])


def _earlier(holds: Holds) -> list[str]:
    known = holds.earlier - holds.unknown
    words = []
    if known > 0:
        source = f"from {place(holds.origin)}" if holds.origin else "from before this cell"
        words.append(source + (f" ({count(known)} contributions)" if known > 1 else ""))
    if holds.unknown:
        words.append("of unknown origin")
    return words


def _mine(holds: Holds) -> list[str]:
    n = holds.count - holds.earlier
    if n <= 0 or not holds.first:
        return []
    if holds.first == holds.last:
        return [f"backward #{count(holds.first)}"]
    span = f"backward #{count(holds.first)}…#{count(holds.last)}"
    return [span if holds.stale else f"{span} ({plural(n, 'contribution')})"]


def event_call(event: Event) -> str:
    """The call in API words, where the kind does not already say it."""
    label, actor = clean(event.label, MOST_NAME), short(event.actor or "")
    if event.kind == "backward":
        return "" if label in ("", "backward") else label
    if not actor or actor in label:
        return "" if label == event.kind else label
    return f"{actor}: {label}" if label else actor


def event_remarks(event: Event) -> list[str]:
    """What else there is to say about an event, a phrase each."""
    remarks = []
    if event.continues is not None:
        remarks.append(f"continues event {count(event.continues)}: a step ran inside that backward")
    if event.inside:
        remarks.append(f"inside {short(event.inside)}")
    if event.via:
        remarks.append(f"via {short(event.via)}")
    if event.kind in ("update", "rebind") and event.source == "unknown":
        remarks.append("update of unknown source")
    if event.kind in ("update", "rebind") and event.source == "other":
        remarks.append("not computed from a gradient")
    return remarks


def matches(info: TensorInfo, patterns: Iterable[str]) -> bool:
    """Is the tensor asked for, by name or shell-style pattern?"""
    names = (info.name, *info.aliases)
    return any(n == p or fnmatchcase(n, p) for p in patterns for n in names)


def unmatched(infos: Iterable[TensorInfo], patterns: Iterable[str]) -> list[str]:
    """A sentence for each pattern that fits no tensor, with the names that exist."""
    known = list(infos)
    names = list(dict.fromkeys(t.name for t in known))
    have = f"The names are: {listed(names, 12)}." if names else "No tensor here requires grad."
    missing = [p for p in patterns if not any(matches(t, (p,)) for t in known)]
    return [f"No tensor is called “{short(p)}”. {have}" for p in missing]
