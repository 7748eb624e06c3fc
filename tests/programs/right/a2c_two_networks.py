"""A2C with an actor and a critic of their own."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
actor, critic = nn.Linear(4, 2), nn.Linear(4, 1)
actor_opt = torch.optim.Adam(actor.parameters(), lr=1e-2)
critic_opt = torch.optim.Adam(critic.parameters(), lr=1e-2)
for episode in range(4):
    log_probs, values, rewards = [], [], []
    for step in range(5):
        state = torch.randn(4)
        dist = Categorical(logits=actor(state))
        action = dist.sample()
        log_probs.append(dist.log_prob(action))
        values.append(critic(state).squeeze())
        rewards.append(float(action == (state.sum() > 0)))
    ret, returns = 0.0, []
    for r in reversed(rewards):
        ret = r + 0.9 * ret
        returns.insert(0, ret)
    returns, values, log_probs = torch.tensor(returns), torch.stack(values), torch.stack(log_probs)
    advantage = returns - values
    actor_loss = -(log_probs * advantage.detach()).mean()
    critic_loss = advantage.pow(2).mean()
    actor_opt.zero_grad()
    critic_opt.zero_grad()
    actor_loss.backward()
    critic_loss.backward()
    actor_opt.step()
    critic_opt.step()
    print(episode, actor_loss.item(), critic_loss.item())
