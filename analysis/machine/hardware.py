"""What this machine says about itself: chip, memory, caches, kind.  Linux, macOS and Windows; what cannot be read is empty."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

PLATFORM: str = sys.platform
USUAL_CACHE_BYTE = 128 * 2**20
"""Assumed where the caches cannot be read: larger than those of nearly every client chip."""
LAPTOP_CHASSIS = {"8", "9", "10", "14", "31", "32"}
"""Codes of the System Management BIOS for portable, laptop, notebook, sub notebook, convertible, detachable."""
LONGEST_NAME = 80


@dataclass(frozen=True)
class Machine:
    """Chip and product by name, memory, caches, processors; ``unknown`` lists what could not be read, and why."""

    chip: str
    product: str
    vendor: str
    device_class: str
    memory_byte: int
    cache_byte: int
    n_processor: int
    system: str
    unknown: list[str] = field(default_factory=list)


def described() -> Machine:
    """This machine."""
    chip, product, vendor = _plain(_chip()), _plain(_product()), _plain(_vendor())
    memory, cache = _memory_byte(), _cache_byte()
    missing = {
        "the chip's name": chip, "the product's name": product, "the maker's name": vendor, "the memory's size": memory,
        "the caches' sizes (128 MiB assumed)": cache,
    }  # fmt: skip
    unknown = [f"{what}: the system does not tell" for what, value in missing.items() if not value]
    return Machine(
        chip or "unknown", product, vendor or (chip.split(" ")[0] if chip else "unknown"), _device_class(product), memory,
        cache or USUAL_CACHE_BYTE, _processors(), f"{platform.system()} {platform.release()}", unknown,
    )  # fmt: skip


def _plain(name: str) -> str:
    """A name fit for a cell of a table: no marks, no control characters, nothing a spreadsheet would run."""
    text = re.sub(r"\((R|TM|C)\)|[®™]|[^\x20-\x7e\xa0-\xff]", "", name)
    text = re.sub(r"[<>`{}|\"]|\s+", " ", text).strip(" =+@-")
    return re.sub(r"\s+", " ", text)[:LONGEST_NAME].strip()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def _sysctl(name: str) -> str:
    if PLATFORM != "darwin":
        return ""
    try:
        asked = ["/usr/sbin/sysctl", "-n", name]
        return subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _registry(path: str, name: str) -> str:
    if PLATFORM != "win32":
        return ""
    winreg: Any = import_module("winreg")
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return str(winreg.QueryValueEx(key, name)[0])
    except OSError:
        return ""


PROCESSOR_KEY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
BIOS_KEY = r"HARDWARE\DESCRIPTION\System\BIOS"


def _chip() -> str:
    named = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", _read("/proc/cpuinfo"), flags=re.MULTILINE)
    return (
        _sysctl("machdep.cpu.brand_string")
        or _registry(PROCESSOR_KEY, "ProcessorNameString")
        or (named[1] if named else "")
        or platform.processor()
    )


def _product() -> str:
    return (
        _sysctl("hw.model")
        or _registry(BIOS_KEY, "SystemProductName")
        or _read("/sys/class/dmi/id/product_name")
        or _read("/proc/device-tree/model")
    )


def _vendor() -> str:
    mac = "Apple" if PLATFORM == "darwin" else ""
    return mac or _registry(BIOS_KEY, "SystemManufacturer") or _read("/sys/class/dmi/id/sys_vendor")


def _device_class(product: str) -> str:
    battery = any(Path("/sys/class/power_supply").glob("BAT*"))
    portable = battery or product.startswith("MacBook") or _read("/sys/class/dmi/id/chassis_type") in LAPTOP_CHASSIS
    return "laptop" if portable else "desktop"


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_byte() -> int:
    """Memory that the system sees, or that a container is allowed."""
    total = re.search(r"^MemTotal:\s+(\d+) kB", _read("/proc/meminfo"), flags=re.MULTILINE)
    found = int(_sysctl("hw.memsize") or 0) or (int(total[1]) * 2**10 if total else 0) or _windows_memory_byte()
    allowed = _read("/sys/fs/cgroup/memory.max")
    return min(found, int(allowed)) if allowed.isdigit() and found else found


def _windows_memory_byte() -> int:
    if PLATFORM != "win32":
        return 0

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong), ("load", ctypes.c_ulong), ("total", ctypes.c_ulonglong),
            *((f"other_{index}", ctypes.c_ulonglong) for index in range(6)),
        )  # fmt: skip

    status = Status(length=ctypes.sizeof(Status))
    library: Any = ctypes
    library.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.total)


def _cache_byte() -> int:
    """All last-level caches together; 0 where they cannot be read."""
    told = _sysctl("hw.l3cachesize") or _sysctl("hw.perflevel0.l2cachesize") or _sysctl("hw.l2cachesize")
    if told.isdigit():
        return int(told)
    caches: dict[str, tuple[int, int]] = {}
    for folder in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cache/index*"):
        size, level = re.fullmatch(r"(\d+)K", _read(str(folder / "size"))), _read(str(folder / "level"))
        if size and level.isdigit():
            shared = f"{level} {_read(str(folder / 'shared_cpu_list'))} {_read(str(folder / 'type'))}"
            caches[shared] = (int(level), int(size[1]) * 2**10)
    highest = max((level for level, _ in caches.values()), default=0)
    return sum(size for level, size in caches.values() if level == highest)


def memory_left_byte() -> int:
    """Memory that can be taken without pushing something out; 0 where the system does not tell."""
    left = re.search(r"^MemAvailable:\s+(\d+) kB", _read("/proc/meminfo"), flags=re.MULTILINE)
    return int(left[1]) * 2**10 if left else 0


def in_memory(folder: Path) -> bool:
    """Whether a folder lies on a file system that is memory, where no storage can be measured."""
    best = ("", "")
    for line in _read("/proc/mounts").splitlines():
        _, point, kind, *_ = line.split(" ")
        inside = str(folder.resolve()) == point or str(folder.resolve()).startswith(point.rstrip("/") + "/")
        best = max(best, (point, kind)) if inside else best
    return best[1] in ("tmpfs", "ramfs", "devtmpfs")
