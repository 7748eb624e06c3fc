import random

import torch
from torch import nn, optim

random.seed(0)
torch.manual_seed(0)
SOS, VOCAB, H = 0, 7, 10


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, H)
        self.gru = nn.GRU(H, H)

    def forward(self, token, hidden):
        return self.gru(self.embedding(token).view(1, 1, -1), hidden)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, H)
        self.gru = nn.GRU(H, H)
        self.out = nn.Linear(H, VOCAB)

    def forward(self, token, hidden):
        output, hidden = self.gru(torch.relu(self.embedding(token).view(1, 1, -1)), hidden)
        return torch.log_softmax(self.out(output[0]), dim=1), hidden


def train(source, target, encoder, decoder, enc_opt, dec_opt, criterion):
    hidden = torch.zeros(1, 1, H)
    enc_opt.zero_grad()
    dec_opt.zero_grad()
    loss = 0
    for token in source:
        _, hidden = encoder(token, hidden)
    token = torch.tensor([[SOS]])
    teacher = random.random() < 0.5
    for t in target:
        output, hidden = decoder(token, hidden)
        loss += criterion(output, t.view(1))
        token = t if teacher else output.topk(1)[1].squeeze().detach()
    loss.backward()
    enc_opt.step()
    dec_opt.step()
    return loss.item() / len(target)


encoder, decoder = Encoder(), Decoder()
enc_opt = optim.SGD(encoder.parameters(), lr=0.05)
dec_opt = optim.SGD(decoder.parameters(), lr=0.05)
criterion = nn.NLLLoss()
for it in range(8):
    source = torch.randint(1, VOCAB, (4,))
    print(it, "%.4f" % train(source, source.flip(0), encoder, decoder, enc_opt, dec_opt, criterion))
