"""The word language model's loop: zero, backward, clip, p.data.add_(p.grad, alpha=-lr)."""
import torch
from torch import nn


class RNNModel(nn.Module):
    def __init__(self, ntoken=12, ninp=6, nhid=6):
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.GRU(ninp, nhid)
        self.decoder = nn.Linear(nhid, ntoken)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, input, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(input)), hidden)
        return self.decoder(self.drop(output)).view(-1, 12), hidden


torch.manual_seed(1111)
corpus = torch.randint(0, 12, (31, 3))
model = RNNModel()
criterion = nn.CrossEntropyLoss()
lr = 2.0


def train():
    model.train()
    total_loss = 0.0
    hidden = torch.zeros(1, 3, 6)
    for i in range(0, 30, 6):
        data, targets = corpus[i : i + 6], corpus[i + 1 : i + 7].view(-1)
        model.zero_grad()
        hidden = hidden.detach()
        output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        total_loss += loss.item()
    return total_loss / 5


for epoch in range(3):
    print(f"{epoch} {train():.4f}")
    lr /= 2
