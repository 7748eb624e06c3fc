"""Centre loss: its optimizer's gradients are rescaled before the step."""
import torch
from torch import nn


class CenterLoss(nn.Module):
    def __init__(self, classes, dim):
        super().__init__()
        self.centers = nn.Parameter(torch.randn(classes, dim))

    def forward(self, x, labels):
        return (x - self.centers[labels]).pow(2).sum(1).mean()


torch.manual_seed(0)
features, classify = nn.Linear(5, 2), nn.Linear(2, 3)
center_loss = CenterLoss(3, 2)
weight_cent = 0.1
optimizer_model = torch.optim.SGD([*features.parameters(), *classify.parameters()], lr=0.01)
optimizer_cent = torch.optim.SGD(center_loss.parameters(), lr=0.5)
for step in range(5):
    data, labels = torch.randn(8, 5), torch.randint(0, 3, (8,))
    f = features(data)
    loss = nn.functional.cross_entropy(classify(f), labels) + weight_cent * center_loss(f, labels)
    optimizer_model.zero_grad()
    optimizer_cent.zero_grad()
    loss.backward()
    optimizer_model.step()
    for param in center_loss.parameters():
        param.grad.data *= 1.0 / weight_cent
    optimizer_cent.step()
    print(step, loss.item())
