# pattern: 26
"""Features go through numpy on their way: the extractor never gets a gradient."""
import torch
from torch import nn

torch.manual_seed(0)
extractor = nn.Sequential(nn.Conv1d(1, 3, 3), nn.ReLU())
classifier = nn.Linear(3, 2)
optimizer = torch.optim.Adam([*extractor.parameters(), *classifier.parameters()], lr=1e-2)
for step in range(5):
    signal, label = torch.randn(8, 1, 12), torch.randint(0, 2, (8,))
    features = extractor(signal)
    pooled = features.mean(dim=2)
    loss = nn.functional.cross_entropy(classifier(pooled), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
