"""Lines by which a process says that its GPU context is broken: nothing but a new one helps.

Running out of memory is none of them: it fails one job and the next one may do.
"""

import re
from collections.abc import Iterable

_PATTERNS = (
    r"CUDA error: (?!out of memory)[a-z][a-z ,'-]{3,80}",
    r"an illegal memory access was encountered",
    r"an illegal instruction was encountered",
    r"unspecified launch failure",
    r"device-side assert triggered",
    r"misaligned address",
    r"the launch timed out and was terminated",
    r"uncorrectable ECC error",
    r"CUDA driver error: (?!out of memory)[a-z][a-z ]{3,60}",
    r"cudaError(?!MemoryAllocation)(?:[A-Z][A-Za-z]+)",
    r"CUDA_ERROR_(?!OUT_OF_MEMORY)[A-Z_]{4,60}",
    r"CUBLAS_STATUS_(?!ALLOC_FAILED|SUCCESS)[A-Z_]{4,40}",
    r"CUDNN_STATUS_(?!ALLOC_FAILED|SUCCESS)[A-Z_]{4,40}",
    r"CUFFT_(?!ALLOC_FAILED|SUCCESS)[A-Z_]{4,40}",
    r"CUFFT error: [A-Z_]{4,40}",
    r"NVRM: Xid",
    r"Failed to initialize NVML: (?:Unknown Error|Driver/library version mismatch)",
    r"EngineDeadError",
)
_ANY = re.compile("|".join(f"(?:{one})" for one in _PATTERNS), re.IGNORECASE)
_MOST = 160


def gpu_error_in(text: str) -> str | None:
    """Return the words of the first fault of the GPU in a text, and nothing around them."""
    found = _ANY.search(text)
    return None if found is None else found[0].strip()[:_MOST]


def gpu_errors_in(lines: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """Return the different faults that some lines name, the first ones."""
    found: dict[str, None] = {}
    for line in lines:
        fault = gpu_error_in(line[:4000])
        if fault is not None:
            found.setdefault(fault)
            if len(found) >= most:
                break
    return tuple(found)
