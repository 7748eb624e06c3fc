"""A long run: ``python -m tests.perf.long [rounds]``; memory must stay flat.

A tiny model is trained for 300 000 rounds (about 900 000 events); in the rounds of ``PLANTED``
zero_grad is forgotten. Prints the events, seconds and resident memory at ten points, then what
is kept, and where the planted bug was first and last found.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import torch

from ipygradmagic import trace
from ipygradmagic.api import TraceBlock


def planted(rounds: int) -> range:
    """Rounds after which zero_grad is forgotten."""
    return range(rounds // 3, rounds // 3 + 5)


def resident() -> float:
    """Resident memory now, in MiB."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def train(rounds: int, now: Callable[[int], None] = lambda _: None) -> tuple[TraceBlock, int, int]:
    """Train; the trace, and the events at which old gradients were first and last used again."""
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=1e-6)
    skipped = planted(rounds)
    events = first = last = 0
    stale = False
    with trace(graph=False) as t:
        for i in range(rounds):
            (w * w).sum().backward()
            optimizer.step()
            events += 2
            if stale:
                first, last = first or events, events
            stale = i in skipped
            if not stale:
                optimizer.zero_grad()
                events += 1
            now(i + 1)
    return t, first, last


def main() -> None:
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    begin = time.perf_counter()
    print(f"torch {torch.__version__}, {rounds} rounds; at the start {resident():.1f} MiB")
    print(f"{'round':>9s} {'seconds':>9s} {'MiB':>8s}")

    def now(done: int) -> None:
        if done % max(1, rounds // 10) == 0:
            print(f"{done:9d} {time.perf_counter() - begin:9.1f} {resident():8.1f}", flush=True)

    t, first, last = train(rounds, now)
    ended = time.perf_counter()
    said = str(t).splitlines()
    print(f"{t.trace.total} events, {len(t.events)} kept; report of {len(said)} lines")
    print(f"report in {time.perf_counter() - ended:.1f} s; then {resident():.1f} MiB")
    for found in t.trace.ledger.incidents:
        print(
            f"{found.kind}: {found.count} times, first at event {found.first_event} (planted "
            f"{first}), last at {found.last_event} (planted {last})"
        )


if __name__ == "__main__":
    main()
