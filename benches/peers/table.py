"""Runs wgloss, PyTorch and, if asked, Burn by turns, in processes of their own; prints one table."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

# Names here, and as `wgloss bench --loss` takes them.
LOSSES = {
    "sl": "sl",
    "psl-relu": "psl activation=relu",
    "psl-tanh": "psl activation=tanh",
    "arc_face": "arc_face",
    "arc_face-one-hot": "arc_face",
}
SIZES = ["1024x16384x64", "4096x65536x128"]
HERE = os.path.dirname(os.path.abspath(__file__))
# Steps of this many scores or fewer are timed several times per process, larger ones once.
SMALL = 1 << 24
# The largest difference of values, as a share.
TOLERANCE = 1e-3


def arguments():
    # No abbreviations: benches/peers/run looks for --burn too.
    parser = argparse.ArgumentParser(
        prog="benches/peers/run", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--wgloss", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--burn-steps", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--size", action="append", help=f"default: {', '.join(SIZES)}")
    parser.add_argument("--loss", action="append", choices=LOSSES, help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every contender")
    parser.add_argument("--repeats", type=int, default=5, help="steps per turn, at small sizes")
    parser.add_argument("--no-gpu", action="store_true", help="leave wgloss on the GPU out")
    parser.add_argument(
        "--burn",
        action="store_true",
        help="add Burn's wgpu backend, beside wgloss on the GPU: a quarter of an hour to build, and on"
        " a software adapter a minute or two of tuning before every turn",
    )
    parser.add_argument(
        "--cuda", action="store_true", help="wgloss on the GPU beside PyTorch on a CUDA GPU, alone"
    )
    parser.add_argument("--json", help="write everything that was measured to this file")
    options = parser.parse_args()
    if options.burn and options.no_gpu:
        parser.error("--burn compares with wgloss on the GPU, which --no-gpu leaves out")
    if options.cuda and (options.no_gpu or options.burn):
        parser.error("--cuda compares PyTorch with wgloss on a GPU, and with nothing else")
    return options


def output(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"failed with {done.returncode}: {' '.join(command)}")
    return done.stdout


def run_torch(mode, device, loss, size, repeats):
    command = [sys.executable, os.path.join(HERE, "steps.py")]
    command += [loss, mode, device, size, str(repeats)]
    return json.loads(output(command).splitlines()[-1])


def run_wgloss(program, device, loss, size, repeats):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        command = [program, "bench", "--device", device, "--loss", LOSSES[loss], "--size", size]
        command += ["--only", "step", "--no-peak", "--repeats", str(repeats), "--json", path]
        output(command)
        with open(path) as file:
            report = json.load(file)
    one = report["measurements"][0]
    return {
        "seconds": one["all_seconds"],
        "bytes": one["bytes_beyond"],
        "value": one["value"],
        "version": f"{report['wgloss']} on {report['description']}, plan {one['plan'] or one['scheme']}",
    }


def run_burn(program, loss, size, repeats):
    """None where Burn cannot run it, such as tables beyond an adapter's bindings; it says why."""
    command = [program, loss, size, str(repeats)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def contenders(options):
    """Names with what runs a turn."""

    def wgloss(device):
        return lambda *case: run_wgloss(options.wgloss, device, *case)

    found = {} if options.cuda else {"wgloss CPU": wgloss("cpu")}
    device = "cuda" if options.cuda else "cpu"
    if not options.no_gpu:
        found["wgloss GPU"] = wgloss("gpu")
    for mode in ["eager", "compiled"]:
        found[mode] = lambda *case, mode=mode: run_torch(mode, device, *case)
    if options.burn:
        found["Burn"] = lambda *case: run_burn(options.burn_steps, *case)
    return found


def measure(options, loss, size):
    """All turns of all contenders on one case: by name the median, all seconds and least bytes."""
    b, n, _ = (int(number) for number in size.split("x"))
    repeats = options.repeats if b * n <= SMALL or options.cuda else 1
    turns = {name: [] for name in contenders(options)}
    for _ in range(options.rounds):
        for name, run in contenders(options).items():
            if None not in turns[name]:
                turns[name].append(run(loss, size, repeats))
    turns = {name: results for name, results in turns.items() if None not in results}
    own = "wgloss GPU" if options.cuda else "wgloss CPU"
    first = turns[own][0]["value"]
    for name, results in turns.items():
        for result in results:
            if not abs(result["value"] - first) <= TOLERANCE * abs(first):
                sys.exit(f"{loss} at {size}: {name} gives {result['value']}, {own} {first}")
    if "Burn" in turns:
        adapter, ours = turns["Burn"][0]["adapter"], turns["wgloss GPU"][0]["version"]
        if adapter not in ours:
            sys.exit(f"Burn ran on {adapter}, but wgloss is {ours}")
    measured = {}
    for name, results in turns.items():
        seconds = [second for result in results for second in result["seconds"]]
        sizes = [result["bytes"] for result in results]
        measured[name] = {
            "median": statistics.median(seconds),
            "seconds": seconds,
            "bytes": None if None in sizes else max(sizes),
            "version": results[0]["version"],
        }
    return measured


def time(one):
    if one is None:
        return "–"
    seconds = one["median"]
    if seconds < 0.02:
        return f"{1e3 * seconds:.2f} ms"
    return f"{1e3 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def ratio(peer, own):
    return "–" if peer is None else f"{peer['median'] / own['median']:.1f}"


def memory(one):
    if one is None:
        return "–"
    return "?" if one["bytes"] is None else f"{one['bytes'] / (1 << 20):.0f} MiB"


def main():
    options = arguments()
    names = list(contenders(options))
    ours = [name for name in names if name.startswith("wgloss")]
    ratios = [(peer, own) for own in ours for peer in ["eager", "compiled"]]
    if options.burn:
        # Both on the same adapter.
        ratios.append(("Burn", "wgloss GPU"))
    header = ["size", "loss"]
    header += [f"{name}: step" for name in names]
    header += [f"{peer} / {own}" for peer, own in ratios]
    header += [f"{name}: memory" for name in names]
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header), flush=True)
    everything = []
    for size in options.size or SIZES:
        for loss in options.loss or LOSSES:
            measured = measure(options, loss, size)
            cells = [size, loss]
            cells += [time(measured.get(name)) for name in names]
            cells += [ratio(measured.get(peer), measured[own]) for peer, own in ratios]
            cells += [memory(measured.get(name)) for name in names]
            print("| " + " | ".join(cells) + " |", flush=True)
            everything.append({"size": size, "loss": loss, "measured": measured})
    versions = {}
    for case in everything:
        for name, one in case["measured"].items():
            versions.setdefault(name, one["version"])
    print()
    print("Steps are value and both gradients, medians; memory is what is held at most beyond inputs")
    print("and gradients: of the process, for wgloss on a GPU of the plan, for Burn of its pools, for PyTorch")
    print("on a GPU of its allocator.")
    for name in names:
        print(f"- {name}: {versions.get(name, 'could run none of these')}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(everything, file, indent=1)


if __name__ == "__main__":
    main()
