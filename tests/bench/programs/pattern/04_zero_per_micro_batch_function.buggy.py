# pattern: 4
# expect: discarded-contribution
import torch
from torch import nn
import torch.nn.functional as F


def train_one_epoch(model, loader, optimizer, accum_steps):
    model.train()
    running = 0.0
    for step, (images, labels) in enumerate(loader):
        optimizer.zero_grad()  # BUG
        loss = F.cross_entropy(model(images.flatten(1)), labels) / accum_steps
        loss.backward()
        running += loss.item()
        if (step + 1) % accum_steps == 0:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return running / len(loader)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(16, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 4))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
loader = [(torch.randn(4, 1, 4, 4), torch.randint(0, 4, (4,))) for _ in range(8)]
for epoch in range(2):
    print(train_one_epoch(model, loader, optimizer, 4))
