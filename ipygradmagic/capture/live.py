"""What can be said of a trace while it goes on.

Somebody else's thread counts (:meth:`Live.progress`), which reads a few numbers and touches nothing.
Where it sees that the ledger has noticed something new, the traced code's own thread is asked to
look: at the beginning of its next backward, where nothing of ours is half done.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress

from ipygradmagic.capture.sofar import Sign, sign_of, so_far
from ipygradmagic.capture.strict import Judge
from ipygradmagic.capture.watch import Watch
from ipygradmagic.language import speaking
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.progress import Early, Progress
from ipygradmagic.record.trace import Meta, Trace

MOST_LOOKS = 12
"""Each may take some tenths of a second, when thousands of events are kept."""


class Live:
    """Of one trace.

    Args:
        watch: The shared state.
        judge: The diagnosis: what it finds in a trace, silenced findings left out.
        meta: Circumstances of the trace.
    """

    def __init__(self, watch: Watch, judge: Judge, meta: Meta) -> None:
        self._watch = watch
        self._judge = judge
        self._meta = meta
        self._began = time.perf_counter()
        self._last = Progress(lang=meta.lang)
        self._seen: dict[Sign, int] = {}
        self._looks = 0
        self._findings: tuple[Early, ...] = ()

    def progress(self) -> Progress:
        """How far it has come. To be called from any thread; it waits for nobody."""
        with suppress(Exception):  # what is counted changes meanwhile: the next call succeeds
            self._last = self._counted()
            self._ask()
        return self._last

    def _counted(self) -> Progress:
        recorder = self._watch.recorder
        counts, loss = Counter(recorder.counts), recorder.loss
        for noted in self._watch.noted:
            more, last = noted()
            counts += more
            loss = last if more else loss
        seconds = time.perf_counter() - self._began
        return Progress(seconds, counts, loss, self._findings, self._meta.lang)

    def _ask(self) -> None:
        """Have somebody look, where an incident is new, or has come twice as often."""
        opened = self._watch.ledger.opened()
        signs = {sign_of(one): one.count.bit_length() for one in opened}
        if signs != self._seen and self._looks < MOST_LOOKS:
            self._seen = signs
            self._watch.due = self._look

    def _look(self) -> None:
        watch = self._watch
        watch.due = None
        self._looks += 1
        with watch.guard(), speaking(self._meta.lang):
            trace = so_far(watch, watch.ledger, self._meta)
            errors = (f for f in self._judge(trace) if f.severity == "error")
            self._findings = tuple(Early(f, _since(trace, f)) for f in errors)


def _since(trace: Trace, finding: Finding) -> str:
    """The first event that a finding is about, in words."""
    first = min(finding.evidence.events, default=0)
    return next((f"{e.kind} #{e.number}" for e in trace.events if e.index == first), "")
