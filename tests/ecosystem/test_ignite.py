"""ignite: its supervised trainer, and an engine around the user's own function."""

from __future__ import annotations

LIBRARY = "ignite"
SETUP = """
import torch
from ignite.engine import Engine, Events, create_supervised_evaluator, create_supervised_trainer
from ignite.metrics import MeanSquaredError
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(128, 4)
loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
evaluator = create_supervised_evaluator(model, metrics={"mse": MeanSquaredError()})
"""
SUPERVISED = """
trainer = create_supervised_trainer(model, optimizer, nn.MSELoss(), gradient_accumulation_steps=2)

@trainer.on(Events.EPOCH_COMPLETED)
def validate(engine):
    evaluator.run(loader)
    print(f"epoch {engine.state.epoch}: mse {evaluator.state.metrics['mse']:.4f}")
"""
OWN = """
def train_step(engine, batch):
    model.train()
    inputs, targets = batch
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()

trainer = Engine(train_step)
"""
FIT = "state = trainer.run(loader, max_epochs=3)"
NAMES = {"model[0].weight", "model[0].bias", "model[2].weight", "model[2].bias"}


def test_supervised_trainer(notebook):
    fit = notebook.fit(SETUP + SUPERVISED, FIT)
    assert fit.alarms == [] and fit.fine == ["accumulation"]
    assert set(fit.names) == NAMES
    assert fit.printed == fit.printed_untraced and "epoch 3: mse" in fit.printed
    assert "via run" in fit.text and FIT in fit.text


def test_own_process_function(notebook):
    fit = notebook.fit(SETUP + OWN, FIT)
    assert fit.alarms == [] and fit.fine == ["zeroed"]


def test_forgotten_zero_grad(notebook):
    setup = SETUP + OWN.replace("    optimizer.zero_grad()\n", "")
    error = notebook.fit(setup, FIT).sole_error("stale-gradient")
    assert error.title.startswith("Forgotten zero_grad: optimizer.step() #2")
    assert error.lines == ("optimizer.step()", "loss.backward()")
