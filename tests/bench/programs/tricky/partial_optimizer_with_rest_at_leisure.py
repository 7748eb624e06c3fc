"""Only the bias and the norms are tuned (BitFit); the rest gets gradients that nobody uses."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 2))
tuned = [p for n, p in model.named_parameters() if n.endswith("bias") or n.startswith("1.")]
opt = torch.optim.Adam(tuned, lr=1e-2)
for step in range(5):
    loss = nn.functional.cross_entropy(model(torch.randn(8, 5)), torch.randint(0, 2, (8,)))
    model.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
