"""How far a traced run has come, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ipygradmagic.record.findings import Finding


@dataclass(frozen=True, slots=True)
class Early:
    """An error that is certain before the run is over.

    Attributes:
        finding: It.
        since: The first event that it is about: ``step #2``; empty if that was not kept.
    """

    finding: Finding
    since: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """A traced run that goes on.

    Attributes:
        seconds: Since it began.
        counts: Events so far, by kind.
        loss: The number that was backpropagated last, if it was one number.
        findings: Errors that are certain already.
        lang: Language of the findings.
    """

    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    loss: float | None = None
    findings: tuple[Early, ...] = ()
    lang: str = "en"

    @property
    def events(self) -> int:
        """How many events there were."""
        return sum(self.counts.values())

    @property
    def turns(self) -> tuple[int, str]:
        """What a round is counted by: steps of optimizers; without any, backward passes."""
        steps = self.counts.get("step", 0)
        return (steps, "step") if steps else (self.counts.get("backward", 0), "backward")
