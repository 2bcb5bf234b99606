"""What a result has to say about where it came from."""

import os
import platform
import subprocess
from datetime import datetime
from pathlib import Path

from .files import PACKAGE

#: The instruction sets that matter to convolutions, as Linux names them.
INSTRUCTIONS = [
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
]


def _field(path, name):
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def _git(*arguments):
    result = subprocess.run(
        ["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=False
    )
    return result.stdout.strip()


def describe(threads):
    """Facts about the machine and the source, as a dictionary of strings."""
    flags = _field("/proc/cpuinfo", "flags").split()
    kilobytes = int(_field("/proc/meminfo", "MemTotal").split()[0])
    thp = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    choice = thp.read_text().partition("[")[2].partition("]")[0] if thp.exists() else "none"
    changed = " with local changes" if _git("status", "--porcelain", "--", "Sources") else ""
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "commit": (_git("rev-parse", "--short=12", "HEAD") or "unknown") + changed,
        "processor": _field("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0))),
        "threads": str(threads),
        "instructions": " ".join(flag for flag in INSTRUCTIONS if flag in flags) or "none of note",
        "memory": f"{kilobytes / 2**20:.0f} GiB",
        "transparent huge pages": choice,
        "system": f"{platform.system()} {platform.release()}, {platform.libc_ver()[1]} glibc",
        "load at start": f"{os.getloadavg()[0]:.2f}",
    }
