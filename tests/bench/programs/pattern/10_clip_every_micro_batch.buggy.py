# pattern: 10
# expect: clip-each-backward
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
gradient_accumulation_steps, max_grad_norm = 4, 0.05
for step in range(16):
    x, y = torch.randn(4, 6), torch.randint(0, 3, (4,))
    loss = nn.functional.cross_entropy(model(x), y)
    loss = loss / gradient_accumulation_steps
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)  # BUG
    if (step + 1) % gradient_accumulation_steps == 0:
        optimizer.step()
        model.zero_grad()
        print(step, loss.item())
