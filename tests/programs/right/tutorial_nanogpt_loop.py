"""The loop of nanoGPT: micro-steps, scaler, clipping, a learning rate set by hand."""
import math

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
vocab, block, width = 11, 6, 8


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln = nn.LayerNorm(width, bias=False)
        self.attn = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q, k, v = self.attn(self.ln(x)).split(width, dim=2)
        return x + self.proj(F.scaled_dot_product_attention(q, k, v, is_causal=True))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, width), nn.Embedding(block, width)
        self.h = nn.ModuleList([Block() for _ in range(2)])
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.wte.weight = self.lm_head.weight

    def forward(self, idx, targets):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for layer in self.h:
            x = layer(x)
        return F.cross_entropy(self.lm_head(x).view(-1, vocab), targets.reshape(-1))


def get_lr(it):
    if it < 2:
        return 1e-2 * (it + 1) / 3
    return 1e-3 + 0.5 * (1 + math.cos(math.pi * (it - 2) / 4)) * 9e-3


model = GPT()
decay = [p for p in model.parameters() if p.dim() >= 2]
rest = [p for p in model.parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW(
    [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-2
)
scaler = torch.amp.GradScaler("cpu", enabled=False)
accumulation = 2
data = torch.randint(0, vocab, (4, block + 1))
for it in range(5):
    for group in optimizer.param_groups:
        group["lr"] = get_lr(it)
    for micro_step in range(accumulation):
        loss = model(data[:, :-1], data[:, 1:]) / accumulation
        scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    print(it, loss.item() * accumulation)
