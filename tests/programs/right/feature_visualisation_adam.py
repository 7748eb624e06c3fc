import torch

torch.manual_seed(0)
frozen = torch.nn.Linear(6, 3).requires_grad_(False)
z = torch.nn.Parameter(torch.zeros(1, 6))
opt = torch.optim.Adam([z], lr=0.1, maximize=True)
for _ in range(10):
    opt.zero_grad()
    score = frozen(z)[0, 2] - 0.1 * z.pow(2).sum()
    score.backward()
    opt.step()
print(z.data)
