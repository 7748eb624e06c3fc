"""'Free' adversarial training: one backward gives delta.grad and the weights' gradients."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
delta = torch.zeros(8, 4, requires_grad=True)
for epoch in range(2):
    x = torch.randn(8, 4)
    y = (x.sum(1) > 0).long()
    for replay in range(3):
        loss = F.cross_entropy(model(x + delta), y)
        opt.zero_grad()
        loss.backward()
        grad = delta.grad.detach()
        delta.data = torch.clamp(delta + 0.05 * torch.sign(grad), -0.2, 0.2)
        delta.grad.zero_()
        opt.step()
    print(epoch, loss.item())
