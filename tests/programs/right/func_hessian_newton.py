"""Newton's method with torch.func.hessian."""
import torch


def rosen(v):
    return (1 - v[0]) ** 2 + 10 * (v[1] - v[0] ** 2) ** 2


v = torch.tensor([-1.0, 1.0])
for i in range(8):
    g = torch.func.grad(rosen)(v)
    h = torch.func.hessian(rosen)(v)
    v = v - torch.linalg.solve(h, g)
print([round(c, 5) for c in v.tolist()])
