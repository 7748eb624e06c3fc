"""Hugging Face accelerate: the loop is the user's, and every object in it a shell around another."""

from __future__ import annotations

LIBRARY = "accelerate"
SETUP = """
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

set_seed(0)
x = torch.randn(128, 4)
loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
"""
LOOP = """
for epoch in range(3):
    model.train()
    for inputs, targets in loader:
        with accelerator.accumulate(model):
            loss = nn.functional.mse_loss(model(inputs), targets)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    print(epoch, loss.item())
"""


def test_accumulate(notebook):
    fit = notebook.fit(SETUP, LOOP)
    assert fit.alarms == [] and fit.fine == ["accumulation"]
    assert fit.printed == fit.printed_untraced
    assert set(fit.names) == {
        "model[0].weight",
        "model[0].bias",
        "model[2].weight",
        "model[2].bias",
    }
    assert "24 backward · 12 edit · 12 step · 12 zero_grad" in fit.text
    assert "optimizer: AdamW.step" in fit.text


def test_forgotten_zero_grad(notebook):
    cell = LOOP.replace("            optimizer.zero_grad()\n", "")
    error = notebook.fit(SETUP, cell).sole_error("stale-gradient")
    assert error.title.startswith("Forgotten zero_grad: optimizer.step() #2")
    assert error.lines == ("optimizer.step()", "accelerator.backward(loss)")


def test_backward_past_the_accelerator_is_none_of_its_business(notebook):
    """``loss.backward()`` instead of ``accelerator.backward`` scales nothing, and breaks no books."""
    fit = notebook.fit(SETUP, LOOP.replace("accelerator.backward(loss)", "loss.backward()"))
    assert fit.alarms == [] and fit.fine == ["accumulation"]
