"""Ten micro-batches, windows of four: the last window has two and is applied."""
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
N = 4
loader = [(torch.randn(2, 5), torch.randn(2, 1)) for _ in range(10)]
for epoch in range(2):
    for i, (x, y) in enumerate(loader, start=1):
        window = N if i <= len(loader) - len(loader) % N else len(loader) % N
        loss = (model(x) - y).pow(2).mean() / window
        loss.backward()
        if i % N == 0 or i == len(loader):
            optimizer.step()
            optimizer.zero_grad()
    print(epoch, loss.item())
