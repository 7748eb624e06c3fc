# expect: clip-each-backward @ BUG
"""Fine-tuning with accumulation, in the manner of early transformers examples."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
gradient_accumulation_steps, max_grad_norm = 4, 0.05
model.zero_grad()
for step in range(12):
    x = torch.randn(5, 4)
    loss = nn.functional.mse_loss(model(x), x.sum(1, keepdim=True))
    loss = loss / gradient_accumulation_steps
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)  # BUG
    if (step + 1) % gradient_accumulation_steps == 0:
        optimizer.step()
        model.zero_grad()
        print(step, loss.item())
