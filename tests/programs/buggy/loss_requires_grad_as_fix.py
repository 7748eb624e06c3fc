# expect: detached-loss @ HERE
"""`loss.requires_grad = True` silences the error and hides the bug (argmax has no gradient)."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
for epoch in range(4):
    predicted = model(x).argmax(1)
    loss = (predicted != y).float().mean()
    loss.requires_grad = True
    optimizer.zero_grad()
    loss.backward()  # HERE
    optimizer.step()
    print(epoch, loss.item())
