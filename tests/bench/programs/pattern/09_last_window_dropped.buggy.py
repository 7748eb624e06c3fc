# pattern: 9
# expect: discarded-contribution
"""Seven batches, windows of three: the seventh of every epoch never reaches the weights."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
data = [(torch.randn(3, 5), torch.randn(3, 1)) for _ in range(7)]


def run_epoch(accumulate=3):
    optimizer.zero_grad()  # BUG
    for n, (x, y) in enumerate(data, 1):
        loss = nn.functional.mse_loss(model(x), y)
        (loss / accumulate).backward()
        if n % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    return loss.item()


for epoch in range(4):
    print(epoch, run_epoch())
