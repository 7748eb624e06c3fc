# pattern: 19
"""Raw parameters moved to another dtype after the optimizer was made: new leaves."""
import torch

torch.manual_seed(0)
params = [torch.randn(4, 3).requires_grad_(), torch.zeros(3).requires_grad_()]
params = [p.detach().to(torch.float64).requires_grad_() for p in params]
opt = torch.optim.Adam(params, lr=0.05)
X, Y = torch.randn(20, 4, dtype=torch.float64), torch.randint(0, 3, (20,))
for epoch in range(5):
    logits = X @ params[0] + params[1]
    loss = torch.nn.functional.cross_entropy(logits, Y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(epoch, loss.item())
