"""The detection engine of torchvision: a warm-up scheduler per iteration in the first epoch."""
import math

import torch
from torch import nn

torch.manual_seed(0)
model = nn.ModuleDict({"body": nn.Linear(4, 6), "box": nn.Linear(6, 4), "cls": nn.Linear(6, 2)})


def losses_of(x):
    h = model["body"](x).relu()
    return {
        "loss_box": nn.functional.l1_loss(model["box"](h), x),
        "loss_classifier": model["cls"](h).log_softmax(1)[:, 0].mean().neg(),
    }


def train_one_epoch(optimizer, epoch, scaler=None):
    lr_scheduler = None
    if epoch == 0:
        lr_scheduler = torch.optim.lr_scheduler.LinearLR(
            optimizer, start_factor=1.0 / 1000, total_iters=3
        )
    for _ in range(4):
        loss_dict = losses_of(torch.randn(5, 4))
        losses = sum(loss for loss in loss_dict.values())
        if not math.isfinite(losses.item()):
            raise SystemExit(1)
        optimizer.zero_grad()
        losses.backward()
        optimizer.step()
        if lr_scheduler is not None:
            lr_scheduler.step()
        print(epoch, {k: round(v.item(), 3) for k, v in loss_dict.items()})


params = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.SGD(params, lr=0.02, momentum=0.9, weight_decay=1e-4)
step_lr = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2], gamma=0.1)
for epoch in range(3):
    train_one_epoch(optimizer, epoch)
    step_lr.step()
