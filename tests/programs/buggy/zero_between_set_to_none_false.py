# expect: cleared-before-step @ BUG
"""The step runs on gradients of zeros; only weight decay moves anything."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
for epoch in range(4):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    model.zero_grad(set_to_none=False)  # BUG
    optimizer.step()
    print(epoch, loss.item())
