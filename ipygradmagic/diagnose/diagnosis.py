"""The list of diagnoses, and the one function that goes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ipygradmagic.diagnose import (
    accumulation,
    clipping,
    flow,
    freezing,
    leaks,
    magnitude,
    numerics,
    order,
    ownership,
    raised,
    reuse,
)
from ipygradmagic.diagnose.library import in_library
from ipygradmagic.diagnose.patch import with_diff
from ipygradmagic.diagnose.silence import divide, misspelt
from ipygradmagic.language import speaking, tr
from ipygradmagic.record.findings import SEVERITIES, Finding
from ipygradmagic.record.trace import Trace

Diagnosis = Callable[[Trace], Iterable[Finding]]

DIAGNOSES: tuple[Diagnosis, ...] = (
    accumulation.stale_gradient,
    order.cleared_before_step,
    ownership.stale_optimizer,
    flow.freed_graph,
    flow.detached_loss,
    raised.changed_in_place,
    raised.in_place_on_leaf,
    raised.missing_gradient,
    raised.misuse,
    clipping.clip_before_unscale,
    leaks.leaked_gradient,
    accumulation.leftover,
    reuse.reused_gradient,
    reuse.reused_by_part,
    reuse.reused_in_a_later_cell,
    accumulation.discarded_contribution,
    accumulation.partial_window,
    accumulation.unfinished_window,
    order.step_without_gradient,
    order.scheduler_before_optimizer,
    clipping.clip_after_step,
    clipping.clip_each_backward,
    clipping.clip_without_gradient,
    clipping.exhausted_generator,
    freezing.frozen_but_updated,
    freezing.module_not_frozen,
    flow.growing_graph,
    ownership.unowned_leaf,
    ownership.unreached_leaf,
    flow.non_leaf_grad,
    numerics.nonfinite_gradient,
    numerics.skipped_steps,
    magnitude.unmoved_parameters,
    magnitude.zero_rate,
    magnitude.exploding_gradient,
    magnitude.vanishing_gradient,
    magnitude.dead_parameters,
    flow.kept_graphs,
    accumulation.decayed_gradient,
    accumulation.uncleared_gradient,
    accumulation.growing_sum,
    accumulation.pass_for_others,
    accumulation.accumulation,
    accumulation.rebinding,
    accumulation.closure,
    accumulation.zeroed,
)


def diagnose(trace: Trace) -> Trace:
    """The trace with its findings, the most severe first; a failing diagnosis is a warning.

    What the user silenced is kept apart. The trace says in which language; a watch that asks in
    the midst of a run, in whatever thread, needs no other word for it.
    """
    with speaking(trace.meta.lang):
        return _diagnosed(trace)


def _diagnosed(trace: Trace) -> Trace:
    findings: list[Finding] = []
    warnings: list[str] = []
    for diagnosis in DIAGNOSES:
        try:
            findings += [with_diff(in_library(trace, found)) for found in diagnosis(trace)]
        except Exception as error:
            name = getattr(diagnosis, "__name__", "a diagnosis")
            what = f"{type(error).__name__}: {error}"
            warnings.append(tr("the diagnosis {name} failed: {error}", name=name, error=what))
    findings.sort(key=lambda f: SEVERITIES.index(f.severity))
    told, silenced = divide(trace, findings)
    return trace.with_findings(told, tuple(warnings), silenced, tuple(misspelt(trace)))
