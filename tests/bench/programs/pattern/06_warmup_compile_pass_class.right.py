# pattern: 6
"""llm.c's habit: one forward and backward to have all buffers allocated, then the loop."""
import torch
from torch import nn


class GPTish(nn.Module):
    def __init__(self, vocab=11, dim=8):
        super().__init__()
        self.wte = nn.Embedding(vocab, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.ln = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, vocab, bias=False)

    def forward(self, idx, targets):
        x = self.wte(idx)
        logits = self.head(self.ln(x + self.mlp(x)))
        return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


torch.manual_seed(1337)
model = GPTish()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95))
tokens = torch.randint(0, 11, (4, 9))
x, y = tokens[:, :-1], tokens[:, 1:]
loss = model(x, y)
loss.backward()
optimizer.zero_grad(set_to_none=True)
for it in range(5):
    loss = model(x, y)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    print(f"step {it} loss {loss.item():.4f} norm {norm.item():.4f}")
