"""One step of a loss in PyTorch, timed in a process of its own.

    python steps.py sl eager cpu 1024x16384x64 5

prints one line of JSON. A step is written as people write it: value by tensor operations, both
gradients by autograd.
"""

import ctypes
import gc
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

MINUS_INFINITY = float("-inf")


def cosines(queries, candidates):
    return F.normalize(queries, dim=1) @ F.normalize(candidates, dim=1).T


def sl(queries, candidates, positives, tau=0.1):
    scores = cosines(queries, candidates) / tau
    positive = scores.gather(1, positives)
    negatives = scores.scatter(1, positives, MINUS_INFINITY)
    return (torch.logsumexp(negatives, dim=1) - positive.squeeze(1)).mean()


def psl(queries, candidates, positives, log_activation, tau=0.1, scale=0.5):
    scores = scale * cosines(queries, candidates)
    d = scores - scores.gather(1, positives)
    z = log_activation(d) / tau
    return torch.logsumexp(z.scatter(1, positives, MINUS_INFINITY), dim=1).mean()


def psl_relu(queries, candidates, positives):
    return psl(queries, candidates, positives, lambda d: torch.log(F.relu(d + 1)))


def psl_tanh(queries, candidates, positives):
    return psl(queries, candidates, positives, lambda d: torch.log(torch.tanh(d) + 1))


def widened(own, margin):
    return torch.cos(torch.acos(own.clamp(-1 + 1e-7, 1 - 1e-7)) + margin)


def arc_face(queries, candidates, positives, scale=64.0, margin=0.5):
    cosine = cosines(queries, candidates)
    own = cosine.gather(1, positives)
    logits = scale * cosine.scatter(1, positives, widened(own, margin))
    return F.cross_entropy(logits, positives.squeeze(1))


def arc_face_one_hot(queries, candidates, positives, scale=64.0, margin=0.5):
    """As libraries of metric learning write it: the margin comes in by a mask over all scores."""
    cosine = cosines(queries, candidates)
    mask = torch.zeros_like(cosine).scatter_(1, positives, 1.0)
    own = cosine.gather(1, positives)
    logits = scale * (cosine + mask * (widened(own, margin) - own))
    return F.cross_entropy(logits, positives.squeeze(1))


LOSSES = {
    "sl": sl,
    "psl-relu": psl_relu,
    "psl-tanh": psl_tanh,
    "arc_face": arc_face,
    "arc_face-one-hot": arc_face_one_hot,
}


class Random:
    """The generator of wgloss::bench::Inputs, so that values can be compared."""

    FACTOR = np.uint64(6364136223846793005)

    def __init__(self):
        self.state = np.uint64(1)

    def next(self, count):
        if count == 0:
            return np.empty(0, np.uint64)
        # state_k = factor^k * state + (1 + factor + ... + factor^(k-1)), modulo 2^64.
        powers = np.cumprod(np.full(count, self.FACTOR))
        sums = np.cumsum(np.concatenate([np.ones(1, np.uint64), powers[:-1]]))
        states = powers * self.state + sums
        self.state = states[-1]
        return states >> np.uint64(40)

    def table(self, rows, dim):
        numbers = self.next(rows * dim).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
        return torch.from_numpy(numbers.reshape(rows, dim)).requires_grad_()

    def ids(self, count, below):
        return torch.from_numpy((self.next(count) % np.uint64(below)).astype(np.int64))


def status(field):
    """A field of /proc/self/status in bytes."""
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1]) << 10
    raise RuntimeError(f"{field} is not told here; this needs Linux")


def peak_bytes(step, gradient_bytes, device):
    """Most bytes of a step beyond what is there before, and beyond the gradients that it leaves."""
    gc.collect()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return torch.cuda.max_memory_allocated() - before - gradient_bytes
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as order:
        order.write("5")  # count the most that is held anew
    before = status("VmRSS")
    step()
    return status("VmHWM") - before - gradient_bytes


def main():
    name, mode, device, size, repeats = sys.argv[1:]
    b, n, d = (int(number) for number in size.split("x"))
    torch.set_default_dtype(torch.float32)
    random = Random()
    # As they are made: products in f32, of which a GPU's default is no TF32.
    tables = [random.table(rows, d).detach().to(device).requires_grad_() for rows in (b, n)]
    queries, candidates = tables
    positives = random.ids(b, n).unsqueeze(1).to(device)
    loss = LOSSES[name]
    if mode == "compiled":
        loss = torch.compile(loss)

    def step():
        queries.grad = candidates.grad = None
        value = loss(queries, candidates, positives)
        value.backward()
        return value.item()

    value = step()
    begin = time.perf_counter()
    # The clocks of a GPU rise under load.
    while device == "cuda" and time.perf_counter() - begin < 0.5:
        step()
    seconds = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    queries.grad = candidates.grad = None
    print(
        json.dumps(
            {
                "seconds": seconds,
                "bytes": peak_bytes(step, 4 * (b + n) * d, device),
                "value": value,
                "version": f"{torch.__version__} on {torch.cuda.get_device_name() if device == 'cuda' else device}",
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
