"""Sequence to sequence with attention: one optimizer for the encoder, one for the decoder."""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
VOCAB, HIDDEN = 7, 6


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.attn = nn.Embedding(VOCAB, HIDDEN), nn.Linear(2 * HIDDEN, 5)
        self.gru, self.out = nn.GRUCell(2 * HIDDEN, HIDDEN), nn.Linear(HIDDEN, VOCAB)

    def forward(self, token, hidden, memory):
        e = self.embed(token)
        weights = F.softmax(self.attn(torch.cat([e, hidden], 1)), 1)
        context = weights @ memory
        hidden = self.gru(torch.cat([e, context], 1), hidden)
        return self.out(hidden), hidden


encoder = nn.GRU(HIDDEN, HIDDEN)
embedding = nn.Embedding(VOCAB, HIDDEN)
decoder = Decoder()
encoder_optimizer = torch.optim.SGD([*encoder.parameters(), *embedding.parameters()], lr=0.05)
decoder_optimizer = torch.optim.SGD(decoder.parameters(), lr=0.05)
for it in range(3):
    encoder_optimizer.zero_grad()
    decoder_optimizer.zero_grad()
    source, target = torch.randint(0, VOCAB, (5,)), torch.randint(0, VOCAB, (4,))
    memory, hidden = encoder(embedding(source))
    token, loss = torch.tensor([0]), 0
    for t in range(4):
        logits, hidden = decoder(token, hidden, memory)
        loss = loss + F.cross_entropy(logits, target[t : t + 1])
        token = target[t : t + 1]
    loss.backward()
    encoder_optimizer.step()
    decoder_optimizer.step()
    print(it, loss.item())
