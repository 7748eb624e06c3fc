"""super_resolution of pytorch/examples: orthogonal initialisation, an epoch's loss as a number."""
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, upscale_factor):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(1, 6, 5, 1, 2)
        self.conv2 = nn.Conv2d(6, upscale_factor**2, 3, 1, 1)
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)
        nn.init.orthogonal_(self.conv1.weight, nn.init.calculate_gain("relu"))
        nn.init.orthogonal_(self.conv2.weight)

    def forward(self, x):
        return self.pixel_shuffle(self.conv2(self.relu(self.conv1(x))))


model, criterion = Net(2), nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(1, 3):
    epoch_loss = 0
    for _ in range(3):
        target = torch.rand(2, 1, 8, 8)
        optimizer.zero_grad()
        loss = criterion(model(target[..., ::2, ::2]), target)
        epoch_loss += loss.item()
        loss.backward()
        optimizer.step()
    print(epoch, epoch_loss / 3)
