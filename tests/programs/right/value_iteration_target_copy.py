"""Semi-gradient TD with a hand-written update on one weight vector inside a class."""
import torch


class Agent:
    def __init__(self, n, lr=0.1, gamma=0.9):
        self.w = torch.zeros(n, requires_grad=True)
        self.lr, self.gamma = lr, gamma

    def value(self, phi):
        return self.w @ phi

    def learn(self, phi, reward, phi_next):
        with torch.no_grad():
            target = reward + self.gamma * self.value(phi_next)
        loss = 0.5 * (target - self.value(phi)) ** 2
        loss.backward()
        with torch.no_grad():
            self.w -= self.lr * self.w.grad
        self.w.grad.zero_()
        return loss.item()


torch.manual_seed(0)
agent = Agent(4)
features = torch.eye(4)
state = 0
for t in range(16):
    nxt = (state + 1) % 4
    agent.learn(features[state], float(nxt == 0), features[nxt])
    state = nxt
print(agent.w)
