"""A Gaussian process: kernel hyperparameters by marginal likelihood."""
import torch

torch.manual_seed(0)
X = torch.linspace(0, 1, 12, dtype=torch.float64)
Y = torch.sin(6 * X) + 0.05 * torch.randn(12, dtype=torch.float64)
raw = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in
       {"length": -1.0, "scale": 0.0, "noise": -2.0}.items()}
optimizer = torch.optim.Adam(raw.values(), lr=0.05)
for i in range(8):
    length, scale, noise = (raw[k].exp() for k in ("length", "scale", "noise"))
    K = scale * torch.exp(-0.5 * (X[:, None] - X[None]) ** 2 / length**2) + noise * torch.eye(12, dtype=torch.float64)
    L = torch.linalg.cholesky(K)
    alpha = torch.cholesky_solve(Y[:, None], L)
    nll = 0.5 * (Y @ alpha.squeeze()) + L.diagonal().log().sum()
    optimizer.zero_grad()
    nll.backward()
    optimizer.step()
    if i % 4 == 0:
        print(i, nll.item())
