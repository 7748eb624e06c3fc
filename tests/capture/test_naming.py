"""Many generations of one name, and tensors that are no leaves (names: ``test_roads_names``)."""

from __future__ import annotations

from tests.capture.programs import run


def test_five_thousand_generations_of_one_name_are_bounded() -> None:
    trace = run(
        """
        def loop(params):
            for epoch in range(5000):
                loss = ((params - 3) ** 2).mean()
                loss.backward()
                params = (params - 0.01 * params.grad).detach().requires_grad_()
            return params
        params = loop(torch.zeros(2, requires_grad=True))
        """
    )
    assert trace.total == 10_000
    assert {t.name for t in trace.tensors if t.kind == "leaf"} == {"params"}
    (book,) = trace.ledger.books
    assert book.leaves == 5000 and book.rebinds == 5000


def test_retained_non_leaf_and_plain_non_leaf() -> None:
    trace = run(
        "w = torch.ones(2, requires_grad=True)\ny = w * 2\nz = y.sum()\ny.retain_grad()\nz.backward()"
    )
    found = {t.name: t.kind for t in trace.tensors}
    assert found == {"w": "leaf", "y": "retained", "z": "non-leaf"}
