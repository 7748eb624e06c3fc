"""Folding a long series of event signatures into loops, and loops of loops.

The problem: a training run makes up to a million events, almost all of them the same few
again and again, perhaps with epochs around batches, perhaps with a round now and then that
differs. We want ``100 × (3 × (backward update zero) eval)``, in well under a second, and
must never become quadratic when the series has no pattern at all.

The way: each distinct signature becomes one character of a Python string, so that the regular
expression engine, in C, finds tandem repeats: ``(.{p})\\1{2,}`` is three or more rounds of
period *p*. Periods are tried from short to long; each repeat found becomes one new character,
so that the next, longer period sees loops as single things. This is done until nothing folds
or until a fixed number of characters has been looked at.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

SCAN_BUDGET = 6_000_000
"""Characters looked at before folding stops, whatever the series: bounds the time."""
SHORT_PERIODS = 8
"""All periods up to this one are tried; longer ones only where gaps suggest them."""
SUGGESTED = 12
PHASES = 6
SAMPLE = 20_000
LONG = 200_000
"""In a longer series a period is tried only if a sample shows it."""
MOST_SYMBOLS = 200_000
ROUNDS = 3
"""So many rounds make a loop: with fewer there is nothing to leave out."""


@dataclass(frozen=True, slots=True)
class Loop:
    """``rounds`` times ``body``; ``size`` events in one round."""

    body: str
    rounds: int
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A single event (``loop`` is None) or a loop, starting at event ``start`` (1-based)."""

    start: int
    size: int
    loop: Loop | None = None


@dataclass(slots=True)
class Folded:
    """A folded series: ``text`` has one character for each event or loop at the top."""

    text: str
    loops: dict[str, Loop] = field(default_factory=dict)
    total: int = 0

    def size(self, symbol: str) -> int:
        """How many events a character stands for."""
        loop = self.loops.get(symbol)
        return loop.size * loop.rounds if loop else 1

    def parts(self, text: str | None = None, start: int = 1) -> Iterator[Part]:
        """The events and loops of ``text`` (the whole series if None) from event ``start``."""
        for symbol in self.text if text is None else text:
            size = self.size(symbol)
            yield Part(start, size, self.loops.get(symbol))
            start += size


def fold(pattern: Sequence[int]) -> Folded:
    """Fold a series of signatures into nested loops."""
    text, next_symbol = _as_text(pattern)
    folded = Folded(text, {}, len(pattern))
    if next_symbol > MOST_SYMBOLS:  # nearly every event is unlike all others
        return folded
    folder = _Folder(folded, next_symbol)
    while folder.budget > 0 and folder.one_pass():
        pass
    return folded


def _as_text(pattern: Sequence[int]) -> tuple[str, int]:
    """One character for each distinct signature, in order of appearance."""
    numbers: dict[int, int] = {s: i for i, s in enumerate(dict.fromkeys(pattern))}
    codes = array("I", map(numbers.__getitem__, pattern))
    if len(numbers) > MOST_SYMBOLS:
        return "\0" * len(pattern), len(numbers)
    # surrogates are legal in a str in memory, so all code points serve
    return codes.tobytes().decode("utf-32-le" if _LITTLE else "utf-32-be", "surrogatepass"), len(
        numbers
    )


_LITTLE = array("I", [1]).tobytes()[0] == 1


class _Folder:
    """The series while it is being folded."""

    def __init__(self, folded: Folded, next_symbol: int) -> None:
        self.folded = folded
        self.next_symbol = next_symbol
        self.known: dict[tuple[str, int], str] = {}
        self.budget = SCAN_BUDGET

    def one_pass(self) -> bool:
        """Try periods, short ones first, until one folds. True if one did."""
        before = len(self.folded.text)
        self.budget -= min(before, 3 * SAMPLE)
        samples = _samples(self.folded.text)
        for period in _periods(samples):
            if before > LONG and not any(_repeats(period).search(s) for s in samples):
                continue
            self.budget -= len(self.folded.text)
            if self.budget < 0:
                break
            if period * ROUNDS <= len(self.folded.text):
                self._fold(period)
            if len(self.folded.text) < before:
                return True
        return False

    def _fold(self, period: int) -> None:
        """Fold the repeats of one period.

        The first repeat says in which phase a round is read; after a round that differs the
        same rounds would otherwise be found out of phase.
        """
        start = 0
        for _ in range(PHASES):
            found = _repeats(period).search(self.folded.text, start)
            if found is None:
                return
            start = found.start() + 1
            known = re.compile(f"({re.escape(found.group(1))})\\1{{{ROUNDS - 1},}}", re.DOTALL)
            self.folded.text = known.sub(self._replace, self.folded.text)
        self.folded.text = _repeats(period).sub(self._replace, self.folded.text)

    def _replace(self, match: re.Match[str]) -> str:
        body = match.group(1)
        rounds = len(match.group()) // len(body)
        key = (body, rounds)
        if key not in self.known:
            if self.next_symbol >= 0x10FFFF:
                return match.group()
            symbol = self.known[key] = chr(self.next_symbol)
            size = sum(map(self.folded.size, body))
            self.folded.loops[symbol] = Loop(body, rounds, size)
            self.next_symbol += 1
        return self.known[key]


def _repeats(period: int) -> re.Pattern[str]:
    return re.compile(f"(.{{{period}}})\\1{{{ROUNDS - 1},}}", re.DOTALL)


def _samples(text: str) -> list[str]:
    """The beginning, the middle and the end."""
    middle = max(0, len(text) // 2 - SAMPLE // 2)
    begins = sorted({0, middle, max(0, len(text) - SAMPLE)})
    return [text[begin : begin + SAMPLE] for begin in begins]


def _periods(samples: list[str]) -> list[int]:
    """Short periods, and those that the gaps between like symbols suggest."""
    gaps: Counter[int] = Counter()
    for text in samples:
        last: dict[str, int] = {}
        for i, symbol in enumerate(text):
            if symbol in last:
                gaps[i - last[symbol]] += 1
            last[symbol] = i
    suggested = {gap for gap, _ in gaps.most_common(SUGGESTED)}
    return sorted({*range(1, SHORT_PERIODS + 1), *suggested})
