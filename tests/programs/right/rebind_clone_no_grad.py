import torch

torch.manual_seed(0)
W = [torch.randn(2, 3, requires_grad=True), torch.randn(3, 1, requires_grad=True)]
x = torch.randn(10, 2)
for i in range(6):
    loss = (torch.tanh(x @ W[0]) @ W[1] - x.sum(1, keepdim=True)).pow(2).mean()
    loss.backward()
    W = [(w.detach() - 0.1 * w.grad).requires_grad_() for w in W]
    print(loss.item())
