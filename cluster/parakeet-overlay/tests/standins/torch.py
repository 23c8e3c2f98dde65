"""What the overlay uses of PyTorch, without one."""


class Tensor:
    """Nested lists that behave as a tensor of bfloat16 on a GPU does."""

    def __init__(self, rows, kind="bfloat16", device="cuda"):
        self.rows, self.kind, self.device = rows, kind, device

    @property
    def shape(self):
        found, rows = [], self.rows
        while isinstance(rows, list):
            found.append(len(rows))
            rows = rows[0] if rows else None
        return tuple(found)

    def __len__(self):
        return len(self.rows)

    def detach(self):
        return self

    def float(self):
        return Tensor(self.rows, "float32", self.device)

    def cpu(self):
        return Tensor(self.rows, self.kind, "cpu")

    def numpy(self):
        if self.kind == "bfloat16" or self.device != "cpu":
            raise TypeError("Got unsupported ScalarType BFloat16")
        raise AssertionError("there is no numpy here")

    def tolist(self):
        return self.rows


class cuda:  # noqa: N801 - torch's own name
    emptied = 0

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def memory_allocated():
        return 4_700_000_000

    @staticmethod
    def get_device_properties(_):
        return type("Properties", (), {"total_memory": 128_000_000_000})

    @classmethod
    def empty_cache(cls):
        cls.emptied += 1
