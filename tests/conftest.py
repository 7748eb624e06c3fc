"""After every test, PyTorch is as it was."""

from __future__ import annotations

import os
import sys

import pytest
import torch

torch.set_num_threads(1)
os.environ["LANGUAGE"] = "en"  # whatever the locale: tests read the report's words


def patched() -> dict[str, object]:
    """Everything that a trace may touch, by identity."""
    hooks = sys.modules["torch.optim.optimizer"]
    found: dict[str, object] = {
        f"Tensor.{k}": v for k, v in vars(torch.Tensor).items() if k != "__slotnames__"
    }
    found |= {f"Optimizer.{k}": v for k, v in vars(torch.optim.Optimizer).items()}
    found |= {f"Module.{k}": v for k, v in vars(torch.nn.Module).items()}
    found |= {
        f"torch.{k}": v for k, v in vars(torch).items() if k.startswith("_foreach") or "_amp" in k
    }
    found["engine"] = torch.autograd._engine_run_backward
    found["swap"] = torch.utils.swap_tensors
    for module in (torch.nn.utils.clip_grad, torch.optim.lr_scheduler):
        found |= {f"{module.__name__}.{k}": v for k, v in vars(module).items()}
    for name in ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks"):
        found |= {f"{name}[{k}]": v for k, v in getattr(hooks, name).items()}
    return found


@pytest.fixture(autouse=True)
def torch_is_pristine():
    before = patched()
    yield
    after = patched()
    changed = {k for k in before.keys() | after.keys() if before.get(k) is not after.get(k)}
    assert not changed, f"left behind: {sorted(changed)[:5]}"


@pytest.fixture(autouse=True)
def fresh_books():
    """No test knows of another's gradients."""
    yield
    api = sys.modules.get("ipygradmagic.api")
    if hasattr(api, "forget"):
        api.forget()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright's event loop would run beneath every test after them."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
