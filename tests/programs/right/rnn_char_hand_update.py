"""Name classification with a char RNN, updated by p.data.add_(p.grad.data, alpha=-lr)."""
import torch
import torch.nn as nn


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        output = self.softmax(self.i2o(combined))
        return output, hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


torch.manual_seed(7)
rnn = RNN(5, 8, 3)
criterion = nn.NLLLoss()
learning_rate = 0.05


def train(category, line):
    hidden = rnn.init_hidden()
    rnn.zero_grad()
    for i in range(line.size(0)):
        output, hidden = rnn(line[i], hidden)
    loss = criterion(output, category)
    loss.backward()
    for p in rnn.parameters():
        if p.grad is not None:
            p.data.add_(p.grad.data, alpha=-learning_rate)
    return output, loss.item()


for n in range(12):
    line = torch.eye(5)[torch.randint(0, 5, (4,))].unsqueeze(1)
    category = torch.tensor([n % 3])
    output, loss = train(category, line)
    print(n, f"{loss:.5f}")
