# pattern: 18
"""New tokens are added after the optimizer was made."""
import torch
from torch import nn


class TinyLM(nn.Module):
    def __init__(self, vocab, dim=6):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.body = nn.GRU(dim, dim, batch_first=True)

    def resize_token_embeddings(self, vocab):
        old = self.embed
        self.embed = nn.Embedding(vocab, old.embedding_dim)
        with torch.no_grad():
            self.embed.weight[: old.num_embeddings] = old.weight

    def forward(self, ids):
        h, _ = self.body(self.embed(ids))
        return h @ self.embed.weight.T


torch.manual_seed(0)
model = TinyLM(10)
model.resize_token_embeddings(12)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(5):
    ids = torch.randint(0, 12, (4, 7))
    logits = model(ids[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
