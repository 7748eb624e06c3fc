import torch
from torch import nn

torch.manual_seed(0)
actor, critic = nn.Linear(3, 2), nn.Linear(3, 1)
actor_opt = torch.optim.Adam(actor.parameters(), lr=0.01)
critic_opt = torch.optim.Adam(critic.parameters(), lr=0.05)
state = torch.randn(3)
for t in range(12):
    dist = torch.distributions.Categorical(logits=actor(state))
    action = dist.sample()
    reward = 1.0 if action.item() == int(state.sum() > 0) else -1.0
    next_state = torch.randn(3)
    advantage = reward + 0.9 * critic(next_state).detach() - critic(state)
    critic_loss = advantage.pow(2).mean()
    critic_opt.zero_grad()
    critic_loss.backward()
    critic_opt.step()
    actor_loss = -(dist.log_prob(action) * advantage.detach()).sum()
    actor_opt.zero_grad()
    actor_loss.backward()
    actor_opt.step()
    state = next_state
print(actor_loss.item(), critic_loss.item())
