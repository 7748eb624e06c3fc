import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
torch.manual_seed(0)
Transition = namedtuple("Transition", "state action reward next_state done")
memory = deque(maxlen=100)
policy_net = nn.Sequential(nn.Linear(3, 12), nn.ReLU(), nn.Linear(12, 2))
target_net = nn.Sequential(nn.Linear(3, 12), nn.ReLU(), nn.Linear(12, 2))
target_net.load_state_dict(policy_net.state_dict())
optimizer = torch.optim.AdamW(policy_net.parameters(), lr=1e-2, amsgrad=True)
GAMMA, TAU = 0.9, 0.1


def optimize_model():
    if len(memory) < 8:
        return None
    batch = Transition(*zip(*random.sample(list(memory), 8)))
    states, next_states = torch.stack(batch.state), torch.stack(batch.next_state)
    actions, rewards = torch.tensor(batch.action), torch.tensor(batch.reward)
    q = policy_net(states).gather(1, actions.unsqueeze(1))
    with torch.no_grad():
        next_q = target_net(next_states).max(1).values
    loss = F.smooth_l1_loss(q, (rewards + GAMMA * next_q).unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    return loss.item()


state = torch.randn(3)
for t in range(24):
    if random.random() < 0.3:
        action = random.randrange(2)
    else:
        with torch.no_grad():
            action = policy_net(state).argmax().item()
    next_state = torch.randn(3)
    memory.append(Transition(state, action, float(action == (state[0] > 0)), next_state, False))
    state = next_state
    loss = optimize_model()
    target_sd, policy_sd = target_net.state_dict(), policy_net.state_dict()
    for key in policy_sd:
        target_sd[key] = policy_sd[key] * TAU + target_sd[key] * (1 - TAU)
    target_net.load_state_dict(target_sd)
print("last loss", loss)
