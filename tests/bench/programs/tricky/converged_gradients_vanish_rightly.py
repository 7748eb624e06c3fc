"""At the minimum the gradient is zero; that is the point."""
import torch

w = torch.tensor([4.0, -2.0], requires_grad=True)
opt = torch.optim.SGD([w], lr=0.5)
for i in range(12):
    loss = (w - torch.tensor([1.0, 1.0])).pow(2).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(w, w.grad)
