"""The DQN tutorial: clip_grad_value_, and a target network that follows softly."""
import random
from collections import deque

import torch
from torch import nn

torch.manual_seed(0)
policy_net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
target_net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
target_net.load_state_dict(policy_net.state_dict())
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=1e-2, amsgrad=True)
memory = deque([], maxlen=50)


def optimize_model():
    if len(memory) < 6:
        return
    state, action, reward, nxt = (torch.stack(t) for t in zip(*random.sample(list(memory), 6)))
    values = policy_net(state).gather(1, action)
    with torch.no_grad():
        expected = reward + 0.9 * target_net(nxt).max(1).values
    loss = nn.SmoothL1Loss()(values, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()


state = torch.randn(4)
for t in range(14):
    action = policy_net(state).argmax().view(1)
    following = torch.randn(4)
    memory.append((state, action, torch.randn(()), following))
    state = following
    optimize_model()
    target, policy = target_net.state_dict(), policy_net.state_dict()
    for key in policy:
        target[key] = policy[key] * 0.05 + target[key] * 0.95
    target_net.load_state_dict(target)
