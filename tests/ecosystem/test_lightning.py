"""PyTorch Lightning: its own loop, and a loop by hand inside its own."""

from __future__ import annotations

LIBRARY = "lightning"
DATA_AND_TRAINER = """
L.seed_everything(0)
x = torch.randn(128, 4)
data = TensorDataset(x, x.sum(1, keepdim=True))
train_loader, val_loader = DataLoader(data, batch_size=16), DataLoader(data, batch_size=64)
model = LitRegressor()
trainer = L.Trainer(
    max_epochs=3, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, {options}
)
"""
AUTOMATIC = """
import logging
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

class LitRegressor(L.LightningModule):
    def __init__(self, width=32, lr=1e-2):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))

    def training_step(self, batch, batch_idx):
        inputs, targets = batch
        loss = nn.functional.mse_loss(self.net(inputs), targets)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        inputs, targets = batch
        self.log("val_loss", nn.functional.mse_loss(self.net(inputs), targets))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)]
"""
BY_HAND = """
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        optimizer = self.optimizers()
        inputs, targets = batch
        loss = nn.functional.mse_loss(self.net(inputs), targets)
        optimizer.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(optimizer, gradient_clip_val=0.5, gradient_clip_algorithm="norm")
        optimizer.step()
        self.log("train_loss", loss)
"""
MANUAL = (
    AUTOMATIC[: AUTOMATIC.index("\n    def training_step")]
    + BY_HAND
    + AUTOMATIC[AUTOMATIC.index("\n    def validation_step") :]
)
GAN = """
import logging
import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
bce = nn.functional.binary_cross_entropy_with_logits

class LitGAN(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
        self.discriminator = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))

    def training_step(self, real, batch_idx):
        g_opt, d_opt = self.optimizers()
        fake = self.generator(torch.randn(len(real), 2))

        d_opt.zero_grad()
        verdicts = self.discriminator(real), self.discriminator(fake.detach())
        d_loss = bce(verdicts[0], torch.ones(len(real), 1)) + bce(verdicts[1], torch.zeros(len(real), 1))
        self.manual_backward(d_loss)
        d_opt.step()

        g_opt.zero_grad()
        g_loss = bce(self.discriminator(fake), torch.ones(len(real), 1))
        self.manual_backward(g_loss)
        g_opt.step()

    def configure_optimizers(self):
        return (
            torch.optim.Adam(self.generator.parameters(), lr=1e-3),
            torch.optim.Adam(self.discriminator.parameters(), lr=1e-3),
        )

L.seed_everything(0)
loader = DataLoader(torch.randn(64, 2) + 3, batch_size=16)
model = LitGAN()
trainer = L.Trainer(
    max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
"""
FIT = "trainer.fit(model, train_loader, val_loader)"
NAMES = {f"model.net[{i}].{kind}" for i in (0, 2) for kind in ("weight", "bias")}


def test_automatic_optimization(notebook):
    fit = notebook.fit(AUTOMATIC + DATA_AND_TRAINER.format(options=""), FIT)
    assert fit.alarms == [] and "zeroed" in fit.fine
    assert set(fit.names) == NAMES
    assert "24 backward · 24 step" in fit.text, "a step is told once, though it has a closure"
    assert "via fit" in fit.text and FIT in fit.text


def test_accumulation_and_clipping(notebook):
    options = "accumulate_grad_batches=4, gradient_clip_val=0.5"
    fit = notebook.fit(AUTOMATIC + DATA_AND_TRAINER.format(options=options), FIT)
    assert fit.alarms == [] and "accumulation" in fit.fine
    assert "4 backward passes per update" in fit.text
    assert "clipped" in fit.text


def test_manual_optimization(notebook):
    fit = notebook.fit(MANUAL + DATA_AND_TRAINER.format(options=""), FIT)
    assert fit.alarms == [] and fit.fine == ["zeroed"]
    assert "closure" not in fit.text, "Lightning's empty closure brings no gradients"


def test_forgotten_zero_grad_in_a_training_step(notebook):
    setup = MANUAL.replace("        optimizer.zero_grad()\n", "")
    error = notebook.fit(setup + DATA_AND_TRAINER.format(options=""), FIT).sole_error(
        "stale-gradient"
    )
    assert error.title.startswith("Forgotten zero_grad: optimizer.step() #2")
    assert error.lines[0] == "optimizer.step()" and "self.manual_backward(loss)" in error.lines


def test_zero_grad_overridden_and_left_empty(notebook):
    hook = """
    def optimizer_zero_grad(self, epoch, batch_idx, optimizer):
        pass  # TODO

    def training_step"""
    setup = AUTOMATIC.replace("\n    def training_step", hook)
    error = notebook.fit(setup + DATA_AND_TRAINER.format(options=""), FIT).sole_error(
        "stale-gradient"
    )
    assert error.lines == (FIT,)
    assert error.remedy[0].startswith("The loop belongs to fit(), which should clear")
    assert "optimizer_zero_grad" in error.remedy[0] and error.remedy[1:] == ("", "")


def test_two_optimizers_by_hand(notebook):
    """The generator's loss fills the discriminator, too, which clears that before its own pass."""
    fit = notebook.fit(GAN, "trainer.fit(model, loader)")
    assert fit.alarms == []


def test_the_discriminator_is_never_cleared(notebook):
    setup = GAN.replace("        d_opt.zero_grad()\n", "")
    fit = notebook.fit(setup, "trainer.fit(model, loader)")
    assert fit.alarms == ["stale-gradient", "leaked-gradient"]
    stale, leaked = fit.findings[:2]
    assert stale.title.startswith("Forgotten zero_grad: d_opt.step()")
    assert stale.lines[0] == "d_opt.step()" and "self.manual_backward(g_loss)" in leaked.lines
