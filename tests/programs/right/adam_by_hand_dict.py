import torch

torch.manual_seed(0)
params = {"w": torch.randn(4, 1, requires_grad=True), "b": torch.zeros(1, requires_grad=True)}
state = {k: {"m": torch.zeros_like(p), "v": torch.zeros_like(p)} for k, p in params.items()}
beta1, beta2, eps, lr = 0.9, 0.999, 1e-8, 0.05
x = torch.randn(30, 4)
y = x[:, :1] * 2 - 1
for t in range(1, 16):
    loss = (x @ params["w"] + params["b"] - y).pow(2).mean()
    for p in params.values():
        p.grad = None
    loss.backward()
    with torch.no_grad():
        for name, p in params.items():
            g, s = p.grad, state[name]
            s["m"] = beta1 * s["m"] + (1 - beta1) * g
            s["v"] = beta2 * s["v"] + (1 - beta2) * g * g
            m_hat = s["m"] / (1 - beta1**t)
            v_hat = s["v"] / (1 - beta2**t)
            p -= lr * m_hat / (v_hat.sqrt() + eps)
    if t % 5 == 0:
        print(t, loss.item())
