# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
params = {"w": torch.randn(4, 1, requires_grad=True), "b": torch.zeros(1, requires_grad=True)}
m = {k: torch.zeros_like(p) for k, p in params.items()}
v = {k: torch.zeros_like(p) for k, p in params.items()}
for t in range(1, 9):
    x = torch.randn(10, 4)
    loss = (x @ params["w"] + params["b"] - x[:, :1]).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        for k, p in params.items():
            m[k] = 0.9 * m[k] + 0.1 * p.grad
            v[k] = 0.999 * v[k] + 0.001 * p.grad**2
            m_hat, v_hat = m[k] / (1 - 0.9**t), v[k] / (1 - 0.999**t)
            p -= 0.02 * m_hat / (v_hat.sqrt() + 1e-8)  # HERE
    print(loss.item())
