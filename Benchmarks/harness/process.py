"""The processes that compute: long-lived workers for the peers, one run at a time for resnet."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent


class Failure(Exception):
    """A contestant that could not be started or measured, with the end of what it said."""


class Worker:
    """A peer's process. It is stopped between turns, so that only one contestant ever computes."""

    def __init__(self, contestant, files, threads, log):
        self.log = Path(log)
        weights = files.weights if contestant.peer.startswith("pytorch") else files.onnx
        arguments = [sys.executable, "-m", "peers.worker", "--peer", contestant.peer]
        arguments += ["--settings", json.dumps(contestant.settings), "--weights", str(weights)]
        arguments += ["--threads", str(threads), "--variant", files.variant]
        self.process = subprocess.Popen(
            arguments,
            cwd=BENCHMARKS,
            env={**os.environ, **contestant.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("w"),
            text=True,
        )
        self.version = self._answer()["version"]
        self._pause()

    def _pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            end = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            raise Failure(" / ".join(end) or f"ended with status {self.process.returncode}")
        return json.loads(line)

    def ask(self, request):
        """Sends one request and waits for its answer."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        self._pause()
        return answer

    def close(self):
        """Ends the process."""
        self.process.kill()
        self.process.wait()


class Ours:
    """Runs `resnet bench`, whose figures come from within its process, after its warm-up."""

    def __init__(self, contestant, files, threads, log):
        self.arguments = [files.resnet, "bench", contestant.task]
        self.arguments += ["--precision", contestant.precision]
        self.arguments += ["--variant", files.variant, "--threads", str(threads)]
        if contestant.task == "infer" and files.variant == "v1.5":
            self.arguments += ["--weights", files.weights]
        self.environment = {**os.environ, **contestant.environment}
        self.log = Path(log)
        version = run([files.resnet, "--version"], self.environment, self.log)
        self.version = f"resnet {version.strip()}"

    def ask(self, request):
        """Runs one turn, of a time or of a number of runs; only `run` is understood."""
        arguments = self.arguments + ["--batch", str(request["batch"]), "--format", "json"]
        if "runs" in request:
            arguments += ["--steps", str(request["runs"])]
        else:
            arguments += ["--seconds", str(request["seconds"])]
        return json.loads(run(arguments, self.environment, self.log))

    def close(self):
        """Nothing stays behind."""


def run(arguments, environment, log):
    """Runs a command and returns what it printed."""
    with Path(log).open("w") as errors:
        result = subprocess.run(
            [str(argument) for argument in arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        end = Path(log).read_text(errors="replace").strip().splitlines()[-3:]
        raise Failure(" / ".join(end) or f"ended with status {result.returncode}")
    return result.stdout


def start(contestant, files, threads, log):
    """Starts the process of a contestant."""
    kind = Ours if contestant.peer == "resnet" else Worker
    return kind(contestant, files, threads, log)


def timed(arguments, log, environment=None, cwd=None):
    """Runs a command; returns its output, the seconds it took, and its peak memory in MiB."""
    errors = Path(log).open("w")
    start = time.perf_counter()
    child = subprocess.Popen(
        [str(argument) for argument in arguments],
        env={**os.environ, **(environment or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    errors.close()
    if child.returncode != 0:
        end = Path(log).read_text(errors="replace").strip().splitlines()[-3:]
        raise Failure(" / ".join(end) or f"ended with status {child.returncode}")
    return output, seconds, usage.ru_maxrss / 1024
