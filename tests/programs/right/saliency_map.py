import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 36, 4))
model.eval()
for parameter in model.parameters():
    parameter.requires_grad = False
X = torch.rand(1, 1, 8, 8)
X.requires_grad_()
scores = model(X)
score_max = scores[0, scores.argmax()]
score_max.backward()
saliency, _ = torch.max(X.grad.data.abs(), dim=1)
print(saliency.shape, saliency.sum().item())
