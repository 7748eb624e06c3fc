# pattern: 20
# expect: stale-optimizer | unowned-leaf | step-without-gradient | unreached-leaf
import torch
from torch import nn


class CharRNN(nn.Module):
    def __init__(self, n_chars, hidden):
        super().__init__()
        self.encoder = nn.Embedding(n_chars, hidden)
        self.rnn = nn.GRU(hidden, hidden)
        self.decoder = nn.Linear(hidden, n_chars)

    def forward(self, x):
        out, _ = self.rnn(self.encoder(x))
        return self.decoder(out)


torch.manual_seed(0)
model = CharRNN(7, 5)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)  # BUG
criterion = nn.CrossEntropyLoss()
model = CharRNN(7, 5)  # BUG
for epoch in range(4):
    text = torch.randint(0, 7, (9, 3))
    optimizer.zero_grad()
    loss = criterion(model(text[:-1]).flatten(0, 1), text[1:].flatten())
    loss.backward()
    optimizer.step()  # BUG
    print(epoch, loss.item())
