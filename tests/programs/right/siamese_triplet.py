import torch
from torch import nn

torch.manual_seed(0)
embed = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
criterion = nn.TripletMarginLoss(margin=1.0)
optimizer = torch.optim.Adadelta(embed.parameters(), lr=1.0)
for i in range(6):
    a = torch.randn(8, 6)
    loss = criterion(embed(a), embed(a + 0.1 * torch.randn(8, 6)), embed(torch.randn(8, 6)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(i, loss.item())
