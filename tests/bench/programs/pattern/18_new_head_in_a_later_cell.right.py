# pattern: 18
# %%
import torch
from torch import nn

torch.manual_seed(0)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.fc = nn.Linear(16, 100)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


net = Backbone()
# %%
net.fc = nn.Linear(net.fc.in_features, 3)
criterion = nn.CrossEntropyLoss()
# %%
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
# %%
for epoch in range(4):
    images, labels = torch.randn(6, 1, 6, 6), torch.randint(0, 3, (6,))
    optimizer.zero_grad()
    loss = criterion(net(images), labels)
    loss.backward()
    optimizer.step()
    print(epoch, loss.item())
