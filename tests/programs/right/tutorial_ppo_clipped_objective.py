"""PPO in the manner of CleanRL: minibatches, clipped ratio, annealed rate, one clipping each."""
import torch
from torch import nn

torch.manual_seed(0)
actor, critic = nn.Linear(4, 2), nn.Linear(4, 1)
params = list(actor.parameters()) + list(critic.parameters())
optimizer = torch.optim.Adam(params, lr=2.5e-3, eps=1e-5)
for update in range(1, 4):
    optimizer.param_groups[0]["lr"] = (1.0 - (update - 1.0) / 3) * 2.5e-3
    obs, returns = torch.randn(8, 4), torch.randn(8)
    with torch.no_grad():
        dist = torch.distributions.Categorical(logits=actor(obs))
        actions = dist.sample()
        logprobs, values = dist.log_prob(actions), critic(obs).flatten()
    advantages = returns - values
    for epoch in range(2):
        for start in range(0, 8, 4):
            mb = torch.randperm(8)[start : start + 4]
            dist = torch.distributions.Categorical(logits=actor(obs[mb]))
            ratio = (dist.log_prob(actions[mb]) - logprobs[mb]).exp()
            adv = (advantages[mb] - advantages[mb].mean()) / (advantages[mb].std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * torch.clamp(ratio, 0.8, 1.2)).mean()
            v_loss = 0.5 * ((critic(obs[mb]).flatten() - returns[mb]) ** 2).mean()
            loss = pg_loss - 0.01 * dist.entropy().mean() + 0.5 * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(params, 0.5)
            optimizer.step()
    print(update, loss.item())
