"""fastai: its optimizers are none of torch's, and nearly all of its loop is callbacks."""

from __future__ import annotations

LIBRARY = "fastai"
SETUP = """
import torch
from torch import nn
from fastai.basics import *
from fastai.callback.all import *

set_seed(0)
x = torch.randn(128, 4)
y = x.sum(1, keepdim=True)
train, valid = list(zip(x, y)), list(zip(x[:32], y[:32]))
dls = DataLoaders.from_dsets(train, valid, bs=16, device="cpu", num_workers=0)
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
learn = Learner(dls, model, loss_func=nn.MSELoss(), metrics=mae{callbacks})
"""
FIT = """
with learn.no_bar():
    learn.fit_one_cycle(3, 1e-2)
"""
NAMES = {"model[0].weight", "model[0].bias", "model[2].weight", "model[2].bias"}


def test_fit_one_cycle(notebook):
    fit = notebook.fit(SETUP.format(callbacks=""), FIT)
    assert fit.alarms == [] and fit.fine == ["zeroed"]
    assert set(fit.names) == NAMES
    assert "24 backward · 24 update · 24 zero_grad" in fit.text, "one update for each step"
    assert "Optimizer.step" in fit.text and "Optimizer.zero_grad" in fit.text
    assert "not computed from a gradient" not in fit.text
    assert "via fit_one_cycle" in fit.text and "learn.fit_one_cycle(3, 1e-2)" in fit.text


def test_accumulation_and_clipping(notebook):
    callbacks = ", cbs=[GradientAccumulation(n_acc=32), GradientClip(1.0)]"
    fit = notebook.fit(SETUP.format(callbacks=callbacks), FIT)
    assert fit.alarms == [] and fit.fine == ["accumulation"]
    assert "2 backward passes per update" in fit.text and "clip_grad_norm_" in fit.text


def test_an_optimizer_of_torch(notebook):
    callbacks = ", opt_func=partial(OptimWrapper, opt=torch.optim.SGD)"
    fit = notebook.fit(SETUP.format(callbacks=callbacks), FIT)
    assert fit.alarms == [] and fit.fine == ["zeroed"]
    assert "24 backward · 24 step · 24 zero_grad" in fit.text


def test_a_callback_that_skips_zero_grad(notebook):
    callback = """
class LogNorms(Callback):
    def before_fit(self):
        self.norms = []

    def after_step(self):
        self.norms.append(sum(p.norm() for p in self.model.parameters()).item())
        raise CancelBatchException  # nothing left to do for this batch
"""
    setup = SETUP.format(callbacks=", cbs=LogNorms()").replace(
        "\nset_seed", callback + "\nset_seed"
    )
    error = notebook.fit(setup, FIT).sole_error("stale-gradient")
    assert error.title.startswith("Forgotten zero_grad")
    assert error.lines == ("learn.fit_one_cycle(3, 1e-2)",)
    assert error.remedy[0].startswith("The loop belongs to fit_one_cycle(), which should clear")
    assert error.remedy[1:] == ("", "")
