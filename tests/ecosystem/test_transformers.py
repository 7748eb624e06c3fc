"""Hugging Face: ``Trainer`` around a small BERT that is made from its configuration."""

from __future__ import annotations

LIBRARY = "transformers"
SETUP = """
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

class Sums(torch.utils.data.Dataset):
    def __init__(self, n):
        generator = torch.Generator().manual_seed(n)
        self.ids = torch.randint(0, 50, (n, 12), generator=generator)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        ids = self.ids[i]
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": int(ids.sum() > 300)}

def accuracy(prediction):
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}

set_seed(0)
config = BertConfig(
    vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=64, max_position_embeddings=16, num_labels=2,
)
model = BertForSequenceClassification(config)
arguments = TrainingArguments(
    output_dir="out", num_train_epochs=2, per_device_train_batch_size=8,
    gradient_accumulation_steps=2, max_grad_norm=1.0, learning_rate=1e-3, warmup_steps=2,
    lr_scheduler_type="cosine", eval_strategy="epoch", save_strategy="no", logging_steps=4,
    report_to="none", use_cpu=True, seed=0, disable_tqdm=True,
)
trainer = Trainer(
    model=model, args=arguments, train_dataset=Sums(64), eval_dataset=Sums(32),
    compute_metrics=accuracy,
)
"""
FIT = "trainer.train()"


def test_trainer(notebook):
    fit = notebook.fit(SETUP, FIT)
    assert fit.alarms == [] and fit.fine == ["accumulation"]
    assert "2 backward passes per update" in fit.text and "clipped" in fit.text
    assert "via train" in fit.text and FIT in fit.text
    assert "model.bert.encoder.layer[1].attention.self.query.weight" in fit.names
    assert all(name.startswith(("model.bert.", "model.classifier.")) for name in fit.names)


def test_a_language_model(notebook):
    """Its output layer is its embedding: one parameter with two names."""
    setup = """
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed

    set_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=2, n_head=2))
    ids = torch.randint(0, 50, (32, 12))
    arguments = TrainingArguments(
        output_dir="out", max_steps=4, save_strategy="no", report_to="none", use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(model, arguments, train_dataset=[{"input_ids": i, "labels": i} for i in ids])
    """
    fit = notebook.fit(setup, FIT)
    assert fit.alarms == [] and fit.fine == ["zeroed"]
    assert "model.lm_head.weight" in fit.names and "model.transformer.wte.weight" not in fit.names


def test_an_optimizer_of_an_earlier_model(notebook):
    remade = """
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
model = BertForSequenceClassification(config)  # a fresh start
"""
    setup = SETUP.replace("\narguments =", remade + "arguments =")
    setup = setup.replace("model=model, args", "model=model, optimizers=(optimizer, None), args")
    error = notebook.fit(setup, FIT).sole_error("stale-optimizer")
    assert error.title.startswith("optimizer still holds") and FIT in error.lines
    assert error.remedy[1] == "optimizer = torch.optim.AdamW(model.parameters())"
