import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)


def hook(p):
    p.data.add_(p.grad, alpha=-0.1)
    p.grad = None


handle = w.register_post_accumulate_grad_hook(hook)
for i in range(6):
    (w - torch.tensor([1.0, 2.0, 3.0])).pow(2).sum().backward()
handle.remove()
print(w)
