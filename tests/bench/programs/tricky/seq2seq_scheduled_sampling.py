"""Encoder and decoder each with an optimizer, a coin for teacher forcing, a mean over the words."""

import random

import torch
from torch import nn

torch.manual_seed(0)
random.seed(0)
enc, dec = nn.GRU(4, 6, batch_first=True), nn.GRUCell(4, 6)
emb, out = nn.Embedding(7, 4), nn.Linear(6, 7)
enc_opt = torch.optim.Adam([*enc.parameters(), *emb.parameters()], lr=1e-2)
dec_opt = torch.optim.Adam([*dec.parameters(), *out.parameters()], lr=1e-2)
for it in range(5):
    source, target = torch.randint(0, 7, (3, 5)), torch.randint(0, 7, (3, 4))
    _, h = enc(emb(source))
    h, word, loss = h[0], torch.zeros(3, dtype=torch.long), 0
    forcing = random.random() < 0.5
    for t in range(4):
        h = dec(emb(word), h)
        logits = out(h)
        loss = loss + nn.functional.cross_entropy(logits, target[:, t])
        word = target[:, t] if forcing else logits.argmax(1).detach()
    enc_opt.zero_grad()
    dec_opt.zero_grad()
    (loss / 4).backward()
    enc_opt.step()
    dec_opt.step()
    print(it, loss.item() / 4)
