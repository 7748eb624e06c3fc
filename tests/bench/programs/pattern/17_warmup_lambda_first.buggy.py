# pattern: 17
# expect: scheduler-before-optimizer
"""Linear warm-up, as in the fine-tuning scripts, one step too early."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
total, warm = 8, 3
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda k: min(1.0, (k + 1) / warm) * max(0.0, (total - k) / total)
)


def step_batch(x, y):
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    scheduler.step()  # BUG
    optimizer.step()
    return loss.item()


for k in range(total):
    print(step_batch(torch.randn(8, 5), torch.randint(0, 2, (8,))), scheduler.get_last_lr())
