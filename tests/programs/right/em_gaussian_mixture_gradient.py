import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

torch.manual_seed(0)
data = torch.cat([torch.randn(30) - 2, torch.randn(30) + 2])
logits = torch.zeros(2, requires_grad=True)
means = torch.tensor([-1.0, 1.0], requires_grad=True)
log_std = torch.zeros(2, requires_grad=True)
opt = torch.optim.Adam([logits, means, log_std], lr=0.1)
for i in range(8):
    mix = MixtureSameFamily(Categorical(logits=logits), Normal(means, log_std.exp()))
    nll = -mix.log_prob(data).mean()
    opt.zero_grad()
    nll.backward()
    opt.step()
print(nll.item(), means.tolist())
