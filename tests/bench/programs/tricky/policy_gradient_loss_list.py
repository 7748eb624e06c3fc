import torch
from torch import nn


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine, self.action_head, self.value_head = nn.Linear(4, 8), nn.Linear(8, 2), nn.Linear(8, 1)
        self.saved, self.rewards = [], []

    def forward(self, x):
        x = torch.relu(self.affine(x))
        return self.action_head(x).softmax(-1), self.value_head(x)


def finish_episode():
    returns, total = [], 0.0
    for r in reversed(policy.rewards):
        total = r + 0.99 * total
        returns.insert(0, total)
    losses = []
    for (logp, value), ret in zip(policy.saved, returns):
        losses.append(-logp * (ret - value.item()) + nn.functional.smooth_l1_loss(value, torch.tensor([ret])))
    optimizer.zero_grad()
    loss = torch.stack(losses).sum()
    loss.backward()
    optimizer.step()
    del policy.rewards[:], policy.saved[:]
    return loss.item()


torch.manual_seed(0)
policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-2)
for episode in range(4):
    for t in range(5):
        probs, value = policy(torch.randn(4))
        m = torch.distributions.Categorical(probs)
        action = m.sample()
        policy.saved.append((m.log_prob(action), value))
        policy.rewards.append(float(action))
    print(finish_episode())
