# pattern: 38
"""LoRA inside a re-entrant checkpoint whose input does not require grad: no gradient arrives."""
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class LoRA(nn.Module):
    def __init__(self, base, r=2):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Linear(base.in_features, r, bias=False)
        self.up = nn.Linear(r, base.out_features, bias=False)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


torch.manual_seed(0)
embed = nn.Embedding(12, 6).requires_grad_(False)
block = LoRA(nn.Linear(6, 6))
head = nn.Linear(6, 2)
optimizer = torch.optim.AdamW([p for m in (block, head) for p in m.parameters() if p.requires_grad], lr=1e-2)
for step in range(5):
    ids, y = torch.randint(0, 12, (4, 5)), torch.randint(0, 2, (4,))
    h = checkpoint(block, embed(ids), use_reentrant=False)
    loss = nn.functional.cross_entropy(head(h.mean(1)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
