"""A stand-in for ipygradmagic.api: records calls, needs no torch (kernels start quickly)."""

from __future__ import annotations

import sys
import types

import ipygradmagic
from ipygradmagic.errors import NestedTraceError
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Meta, Trace

sessions: list[Session] = []
reports: list[Report] = []
fail: dict[str, BaseException] = {}
running: list[Session] = []
forgotten: list[int] = []
events: list[Event] = []
"""What the next traces have recorded, and what is wrong with them."""
findings: list[Finding] = []


def _maybe_fail(where: str) -> None:
    if where in fail:
        raise fail[where]


class Session:
    def __init__(self, options, *, namespace, title="", cell_of=None):
        _maybe_fail("init")
        self.options, self.namespace, self.title, self.cell_of = options, namespace, title, cell_of
        self.error = None
        self.gives_way = self.go_on = None
        self.where: list[tuple[str | None, int]] = []
        sessions.append(self)

    def start(self) -> None:
        _maybe_fail("start")
        if running and running[-1].gives_way is not None:
            self.go_on = running[-1].gives_way()
        if running:
            raise NestedTraceError("a trace is running")
        running.append(self)

    def stop(self, error=None) -> Trace:
        self.abandon()
        self.error = error
        _maybe_fail("stop")
        told = {"events": tuple(events), "findings": tuple(findings)}
        return Trace(meta=Meta(title=self.title), notes=(repr(error),), **told)

    def abandon(self) -> None:
        if self in running:
            running.clear()
        go_on, self.go_on = self.go_on, None
        if go_on is not None:
            go_on()


class Report:
    def __init__(self, trace, options, what="trace"):
        self.trace, self.options, self.what = trace, options, what
        reports.append(self)

    def html(self) -> str:
        _maybe_fail("html")
        return f"<b>REPORT {self.trace.meta.title}</b>"

    def text(self, width: int = 100) -> str:
        _maybe_fail("text")
        return f"REPORT {self.trace.meta.title} {self.trace.notes[0]} width={width}"


def report(trace, options):
    _maybe_fail("report")
    return Report(trace, options)


def alarm(trace, options):
    return Report(trace, options, "alarm")


def difference(before, after, codes):
    notes = (f"{before.meta.title} {after.meta.title} {codes}",)
    return Report(Trace(meta=Meta(title="difference"), notes=notes), None, "difference")


def look(namespace, expressions={}, *, graph=None, options=None, cell_of=None):
    _maybe_fail("look")
    said = f"{sorted(expressions)} graph={graph and graph[0]}"
    return Report(Trace(meta=Meta(title="state"), notes=(said,)), options, "state")


def forget() -> None:
    forgotten.append(1)


def mark() -> None:
    """Called by traced code: notes which cell and line calls, as a recorder would."""
    if running:
        frame = sys._getframe(1)
        running[-1].where.append((running[-1].cell_of(frame.f_code.co_filename), frame.f_lineno))


def reset() -> None:
    for thing in (sessions, reports, fail, running, forgotten, events, findings):
        thing.clear()


def install() -> types.ModuleType:
    """Put this module in the place of the api."""
    module = sys.modules[__name__]
    sys.modules["ipygradmagic.api"] = module
    ipygradmagic.api = module
    return module
