# expect: discarded-contribution @ BUG
"""Ten micro-batches, windows of four: the last two of each epoch are thrown away."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
loader = [torch.randn(2, 5) for _ in range(10)]
for epoch in range(3):
    optimizer.zero_grad()  # BUG
    for i, x in enumerate(loader, start=1):
        loss = (model(x).squeeze() - x[:, 0]).pow(2).mean() / 4
        loss.backward()
        if i % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
    print(epoch, loss.item())
