"""PPO: several epochs of minibatches over one rollout, clipped objective."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
body = nn.Sequential(nn.Linear(3, 8), nn.Tanh())
pi, v = nn.Linear(8, 2), nn.Linear(8, 1)
params = [*body.parameters(), *pi.parameters(), *v.parameters()]
optimizer = torch.optim.Adam(params, lr=3e-3, eps=1e-5)
for update in range(2):
    obs = torch.randn(16, 3)
    with torch.no_grad():
        dist = Categorical(logits=pi(body(obs)))
        actions = dist.sample()
        old_logp, returns = dist.log_prob(actions), (actions == (obs[:, 0] > 0)).float()
        adv = returns - v(body(obs)).squeeze()
    for epoch in range(2):
        for idx in torch.randperm(16).split(8):
            h = body(obs[idx])
            dist = Categorical(logits=pi(h))
            ratio = (dist.log_prob(actions[idx]) - old_logp[idx]).exp()
            surr = torch.min(ratio * adv[idx], ratio.clamp(0.8, 1.2) * adv[idx])
            value_loss = (v(h).squeeze() - returns[idx]).pow(2).mean()
            loss = -surr.mean() + 0.5 * value_loss - 0.01 * dist.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(params, 0.5)
            optimizer.step()
    print(update, loss.item())
