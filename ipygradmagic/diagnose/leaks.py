"""Gradients of one optimizer's loss in the tensors of another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from ipygradmagic.diagnose import patch
from ipygradmagic.diagnose.words import at, evidence_of, grads, of_kind
from ipygradmagic.language import tr
from ipygradmagic.record.findings import Finding, Remedy
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Trace


def leaked_gradient(trace: Trace) -> Iterator[Finding]:
    """Another optimizer's loss left something in these gradients (a GAN's leak).

    Layers that several losses share follow all of them on purpose. So it is a note where the loss
    that came last trains another optimizer as well, or where these tensors lie behind those that
    the first loss is there for and the two losses have nothing else in common.
    """
    for incident in of_kind(trace, "leaked"):
        shared = bool(incident.repeats) or _behind(trace, incident)
        yield Finding(
            name="leaked-gradient",
            severity="note" if shared else "warning",
            title=tr(
                "{optimizer}.step(){at} also used what another loss's backward{deposited} left in "
                "{grads}.",
                optimizer=incident.actor,
                at=at(incident.where),
                deposited=at(incident.deposited),
                grads=grads(incident),
            ),
            cause=tr(
                "Two losses reach the same tensors. Another optimizer stepped after the first "
                "backward, and these gradients were not cleared before the second one."
            ),
            consequence=tr(
                "It follows both losses, as a part that several heads share is meant to."
                if shared
                else tr("This optimizer also follows a loss that is not its own.")
            ),
            remedy=Remedy(
                tr(
                    "Clear them before the backward{at}, or detach() what the first loss must not "
                    "reach.",
                    at=at(incident.other),
                ),
                f"{incident.actor}.zero_grad()",
                patch.clear_before_backward(incident.other, incident.where),
            ),
            evidence=evidence_of(incident, incident.where, incident.deposited, incident.other),
        )


def _behind(trace: Trace, incident: Incident) -> bool:
    """Whether the first loss reaches these tensors only behind those of another optimizer.

    A generator's loss cannot help passing through the discriminator, which lies between the two.
    What it reaches farther on could have been detached, unless both losses take the same way: then
    it is the discriminator's loss that reaches the generator.
    """
    first, last = _graph(trace, incident.deposited), _graph(trace, incident.other)
    if first is None or last is None:
        return False
    names = set(incident.tensors)
    leaked = {t.id for t in trace.tensors if t.name in names}
    others = {t.id for t in trace.tensors if t.owners and incident.actor not in t.owners}
    far = _distances(first)
    theirs = others & far.keys()
    if not theirs or not leaked & far.keys() or theirs & _distances(last).keys():
        return False
    return _least(far, leaked) > _least(far, theirs)


def _least(far: dict[int, int], tensors: Iterable[int]) -> int:
    return min(far[i] for i in tensors if i in far)


def _graph(trace: Trace, where: SourceLocation | None) -> Graph | None:
    """The graph of a backward at this line."""
    for graph in trace.graphs:
        event = trace.event(graph.event)
        at_line = event.where if event is not None else None
        if where is not None and at_line is not None:
            if (at_line.file, at_line.line) == (where.file, where.line):
                return graph
    return None


def _distances(graph: Graph) -> dict[int, int]:
    """How many operations lie between the loss and each leaf, at least."""
    inputs: dict[int, list[int]] = {}
    for edge in graph.edges:
        inputs.setdefault(edge.target, []).append(edge.source)
    steps = {node.id: 0 for node in graph.nodes if node.kind == "loss"}
    queue = deque(steps)
    while queue:
        node = queue.popleft()
        for source in inputs.get(node, ()):
            if source not in steps:
                steps[source] = steps[node] + 1
                queue.append(source)
    leaves = ((node.tensor, steps.get(node.id)) for node in graph.nodes)
    return {tensor: far for tensor, far in leaves if tensor is not None and far is not None}
