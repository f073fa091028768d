"""The forecaster as a torch module: raw rows in, raw rows out. The exported ONNX graph computes the same function."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gru_training.config import Config
from gru_training.scaling import Scaling

MINUTES_A_DAY = 1440


class Forecaster(nn.Module):
    """Recurrent layers plus a linear highway, which together forecast the square root of the next row.

    Square roots even out the spikes, which otherwise own the whole squared error; the linear highway carries what a linear
    model of the window can already tell, so that the recurrent layers learn the rest.
    """

    minimum: Tensor
    maximum: Tensor
    ceiling: Tensor
    knee: Tensor
    log_mean: Tensor
    log_sd: Tensor
    raw_mean: Tensor
    raw_sd: Tensor
    root_mean: Tensor
    root_sd: Tensor

    def __init__(self, config: Config, scaling: Scaling) -> None:
        super().__init__()
        model, width = config.model, len(config.features)
        self.inputs, self.highway_inputs, self.time_of_day = model.inputs, model.highway, model.time_of_day
        for name, values in vars(scaling).items():
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float64)))
        clock = 2 if model.time_of_day else 0
        kind = nn.GRU if model.cell == "GRU" else nn.LSTM
        self.recurrent = kind(len(model.inputs) * width + clock, model.hidden, model.layers, batch_first=True)
        self.head = nn.Linear(model.hidden, width)
        flat = config.data.window * len(model.highway) * width
        self.highway = nn.Linear(flat, width, bias=False) if flat else None
        if self.highway is not None:
            nn.init.zeros_(self.highway.weight)

    def transforms(self, window: Tensor) -> dict[str, Tensor]:
        """Standardised views of raw rows [..., features], in float64: raw columns span 18 orders of magnitude."""
        shifted = torch.minimum(window.double(), self.ceiling) - self.minimum
        views = {
            "log": (torch.log1p(shifted / self.knee) - self.log_mean) / self.log_sd,
            "raw": (shifted - self.raw_mean) / self.raw_sd,
            "root": (torch.sqrt(shifted) - self.root_mean) / self.root_sd,
        }
        return {name: views[name] for name in dict.fromkeys(self.inputs + self.highway_inputs)}

    def clock(self, minute: Tensor) -> Tensor:
        """Sine and cosine of the time of day [..., 2], float64; `minute` [...] since 1970."""
        angle = (minute % MINUTES_A_DAY).double() * (2 * math.pi / MINUTES_A_DAY)
        return torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1)

    def prepare(self, window: Tensor, minute: Tensor | None) -> tuple[Tensor, Tensor]:
        """The inputs of the recurrent layers [..., columns] and of the highway [..., columns], in the weights' precision."""
        views = self.transforms(window)
        sequence = [views[name] for name in self.inputs]
        if self.time_of_day:
            assert minute is not None
            sequence.append(self.clock(minute))
        beside = [views[name] for name in self.highway_inputs] or [sequence[0][..., :0]]
        kind = self.head.weight.dtype
        return torch.cat(sequence, dim=-1).to(kind), torch.cat(beside, dim=-1).to(kind)

    def roots(self, sequence: Tensor, beside: Tensor) -> Tensor:
        """Standardised square roots of the next row [batch, features]; what the loss is taken on."""
        answer: Tensor = self.head(self.recurrent(sequence)[0][:, -1])
        return answer if self.highway is None else answer + self.highway(beside.flatten(1))

    def standard_roots(self, row: Tensor) -> Tensor:
        """The training target: standardised square roots of raw rows [..., features]."""
        return (torch.sqrt(row - self.minimum) - self.root_mean) / self.root_sd

    def to_raw(self, roots: Tensor) -> Tensor:
        """Back to raw units, inside [minimum, maximum]."""
        root = torch.relu(roots.double() * self.root_sd + self.root_mean)
        return torch.minimum(root * root + self.minimum, self.maximum)

    def forward(self, window: Tensor, minute: Tensor | None = None) -> Tensor:
        """window [batch, window, features] raw -> the next row [batch, features] raw, float64."""
        return self.to_raw(self.roots(*self.prepare(window, minute)))


def forecast(model: Forecaster, window: np.ndarray, minute: np.ndarray | None, batch: int = 512) -> np.ndarray:
    """Forecasts of many windows [n, window, features] -> [n, features], raw units, float64."""
    model.eval()
    answers: Sequence[Tensor] = []
    with torch.no_grad():
        answers = [
            model(
                torch.from_numpy(np.ascontiguousarray(window[at : at + batch])),
                None if minute is None else torch.from_numpy(np.ascontiguousarray(minute[at : at + batch])),
            )
            for at in range(0, len(window), batch)
        ]
    return torch.cat(list(answers)).numpy()
