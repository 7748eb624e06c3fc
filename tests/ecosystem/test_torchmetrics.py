"""torchmetrics: metrics are modules that see losses and logits, and must hold no gradient."""

from __future__ import annotations

LIBRARY = "torchmetrics"
SETUP = """
import torch
import torchmetrics
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(128, 4)
loader = DataLoader(TensorDataset(x, (x.sum(1) > 0).long()), batch_size=16)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
accuracy = torchmetrics.Accuracy(task="multiclass", num_classes=2)
scores = torchmetrics.MetricCollection(
    [accuracy, torchmetrics.F1Score(task="multiclass", num_classes=2)]
)
mean_loss = torchmetrics.MeanMetric()
"""
LOOP = """
for epoch in range(3):
    for inputs, targets in loader:
        optimizer.zero_grad()
        logits = model(inputs)
        loss = nn.functional.cross_entropy(logits, targets)
        loss.backward()
        optimizer.step()
        scores.update(logits, targets)
        mean_loss.update(loss)
    print(epoch, {name: value.item() for name, value in scores.compute().items()}, mean_loss.compute())
    scores.reset()
    mean_loss.reset()
"""


def test_metrics_in_a_plain_loop(notebook):
    fit = notebook.fit(SETUP, LOOP)
    assert fit.alarms == [] and fit.fine == ["zeroed"]
    assert fit.printed == fit.printed_untraced
    assert set(fit.names) == {
        "model[0].weight",
        "model[0].bias",
        "model[2].weight",
        "model[2].bias",
    }


def test_a_metric_as_the_loss(notebook):
    """A metric that can be differentiated is trained on, and forgets what it has seen every time."""
    setup = SETUP.replace("(x.sum(1) > 0).long()", "x.sum(1)")
    setup = setup.replace("nn.Linear(32, 2)", "nn.Linear(32, 1)")
    setup += "error = torchmetrics.MeanSquaredError()\n"
    cell = """
    for epoch in range(3):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = error(model(inputs).squeeze(1), targets)
            loss.backward()
            optimizer.step()
        print(epoch, error.compute())
        error.reset()
    """
    fit = notebook.fit(setup, cell)
    assert fit.alarms == [] and fit.fine == ["zeroed"]


def test_forgotten_zero_grad(notebook):
    cell = LOOP.replace("        optimizer.zero_grad()\n", "")
    error = notebook.fit(SETUP, cell).sole_error("stale-gradient")
    assert error.lines == ("optimizer.step()", "loss.backward()")
