# pattern: 8
"""The trainer divides by the number of micro-batches, and so does the loss function."""
import torch
from torch import nn


def compute_loss(model, inputs, labels, num_items_in_batch=None):
    loss = nn.functional.mse_loss(model(inputs), labels, reduction="sum")
    return loss / num_items_in_batch if num_items_in_batch else loss / len(labels)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
accum = 3
for step in range(5):
    window = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(accum)]
    items = sum(len(y) for _, y in window)
    for x, y in window:
        loss = compute_loss(model, x, y, num_items_in_batch=items)
        loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(step, loss.item())
