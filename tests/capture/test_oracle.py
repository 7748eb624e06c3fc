"""Random programs against a brute-force oracle that reads what a slot holds off its value.

Backward *k* deposits exactly ``2**k`` in float64, so the bits of ``.grad`` say which
contributions it holds, whatever the recorder believes.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.capture.programs import run

ACTIONS = {
    "a": "(2.0**k * a).sum().backward(); k += 1",
    "ab": "(2.0**k * (a + b)).sum().backward(); k += 1",
    "step": "opt.step()",
    "hand": "a.data -= 0.0 * a.grad if a.grad is not None else 0.0",
    "zero": "opt.zero_grad()",
    "zero_in_place": "opt.zero_grad(set_to_none=False)",
    "none": "a.grad = None",
    "zero_": "a.grad is None or a.grad.zero_()",
    "data_zero_": "a.grad is None or a.grad.data.zero_()",
    "numpy": "if a.grad is not None: a.grad.numpy()[:] = 0",
    "edit": "if a.grad is not None: a.grad = a.grad.clone()",
    "share": "b.grad = a.grad",
}
programs = st.lists(st.sampled_from(sorted(ACTIONS)), min_size=2, max_size=24)
START = """
a = torch.zeros(1, dtype=torch.float64, requires_grad=True)
b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
opt = torch.optim.SGD([a, b], lr=0.0)
k = 0
"""


def bits(values: tuple[float, ...] | None) -> set[int]:
    number = int(values[0]) if values else 0
    return {i for i in range(number.bit_length()) if number >> i & 1}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs)
def test_rows_add_up_and_slots_hold_what_their_bits_say(actions: list[str]) -> None:
    trace = run(START + "\n".join(ACTIONS[a] for a in actions))
    for event in trace.events:
        for row in event.changes:
            after = row.grad_after.values if row.grad_after else None
            before = row.grad_before.values if row.grad_before else None
            if row.added is not None and row.added.values:
                assert (before or (0.0,))[0] + row.added.values[0] == after[0]
            if event.kind in ("backward", "zero_grad", "edit"):
                doubled = len(bits(before)) > 0 and "share" in actions
                if not doubled:
                    assert row.holds.count == len(bits(after)), (event, actions)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(["a", "ab", "step", "zero", "none", "zero_", "numpy"]), max_size=24)
)
def test_stale_is_found_exactly_where_the_bits_say_so(actions: list[str]) -> None:
    trace = run(START + "\n".join(ACTIONS[a] for a in actions))
    held: dict[str, set[int]] = {"a": set(), "b": set()}
    used: set[tuple[str, int]] = set()
    k = stale = 0
    for action in actions:
        if action in ("a", "ab"):
            for leaf in action:
                held[leaf].add(k)
            k += 1
        elif action == "step":
            mixed = False
            for leaf, some in held.items():
                old = {i for i in some if (leaf, i) in used}
                mixed = mixed or bool(old and some - old)
                used |= {(leaf, i) for i in some}
            stale += mixed
        elif action == "zero":
            held["a"].clear(), held["b"].clear()
        else:
            held["a"].clear()
    found = [i for i in trace.ledger.incidents if i.kind == "stale"]
    lines = {i.where.line for i in found if i.where}
    assert sum(i.count for i in found) == stale == len(lines)
